/** Time as a dependency, so that tests turn the clock instead of waiting. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Resolves after `durationMs`; rejects with the signal's reason when aborted.
   * `background`: the wait alone does not keep the process alive.
   */
  sleep(durationMs: number, signal?: AbortSignal, options?: { readonly background?: boolean }): Promise<void>;
}

// setTimeout fires at once beyond 2^31-1 ms: longer waits are made of several.
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(durationMs, signal, { background = false } = {}) {
    for (let left = durationMs; left > 0; left -= LONGEST_TIMER_MS) {
      await sleepOnce(Math.min(left, LONGEST_TIMER_MS), signal, background);
    }
  },
};

function sleepOnce(durationMs: number, signal: AbortSignal | undefined, background: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, durationMs);
    // Browsers give a number here: nothing of theirs is kept alive by a timer.
    if (background && typeof timer === 'object') timer.unref();
    signal?.addEventListener('abort', stop, { once: true });
  });
}
