/** Bounds work in time by the platform's timers: a network read lasts real seconds, whatever the client's clock says. */

/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 2_147_483_647;

export type Ending = 'network_timeout' | 'cancelled';

/**
 * Settles as `work` does, or rejects when time is up or the caller aborts, even
 * where the work ignores the signal it is given.
 *
 * @param ended makes the error for the two ways to end early
 */
export function withinDeadline<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  timeoutMs: number,
  callerSignal: AbortSignal | undefined,
  ended: (how: Ending) => Error,
): Promise<Result> {
  const controller = new AbortController();
  return new Promise<Result>((resolve, reject) => {
    const tidy = (): void => {
      clearTimeout(timer);
      callerSignal?.removeEventListener('abort', cancel);
    };
    const end = (how: Ending): void => {
      tidy();
      reject(ended(how));
      controller.abort();
    };
    const cancel = (): void => end('cancelled');
    const timer = setTimeout(() => end('network_timeout'), Math.min(timeoutMs, LONGEST_TIMER_MS));
    if (callerSignal?.aborted === true) {
      cancel();
      return;
    }
    callerSignal?.addEventListener('abort', cancel, { once: true });
    work(controller.signal).then(resolve, reject).finally(tidy);
  });
}
