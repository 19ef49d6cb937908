/** A clock that tests turn by hand, so that none of them waits. */
import type { Clock } from '../../src/clock.ts';

export interface SimulatedClock extends Clock {
  /**
   * Moves time forward and wakes every sleeper on the way at its own instant, in
   * order; what a woken sleeper starts (another sleep, too) settles before the next.
   */
  advance(durationMs: number): Promise<void>;
  /** Sets the time without waking anyone: a clock that was corrected, backwards too. */
  jumpTo(epochMs: number): void;
  /** The time of day is set, backwards too, as a person or a time server does: who sleeps, sleeps on for as long as he would have. */
  setBy(durationMs: number): void;
  /** How many sleepers wait now. */
  readonly sleeping: number;
  /** Someone waits who is due within this time; heartbeats and the like, which wait in the background, do not count. */
  isDueWithin(durationMs: number): boolean;
}

interface Sleeper {
  dueEpochMs: number;
  readonly background: boolean;
  readonly wake: () => void;
}

const START_EPOCH_MS = Date.UTC(2026, 0, 1);

export function simulatedClock(startEpochMs = START_EPOCH_MS): SimulatedClock {
  let nowEpochMs = startEpochMs;
  const sleepers = new Set<Sleeper>();

  const nextDue = (untilEpochMs: number): Sleeper | undefined => {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.dueEpochMs <= untilEpochMs && (next === undefined || sleeper.dueEpochMs < next.dueEpochMs)) next = sleeper;
    }
    return next;
  };

  return {
    now: () => nowEpochMs,
    sleep: (durationMs, signal, { background = false } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (durationMs <= 0) return resolve();
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          dueEpochMs: nowEpochMs + durationMs,
          background,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', stop, { once: true });
      }),
    async advance(durationMs) {
      const untilEpochMs = nowEpochMs + durationMs;
      for (let next = nextDue(untilEpochMs); next !== undefined; next = nextDue(untilEpochMs)) {
        nowEpochMs = Math.max(nowEpochMs, next.dueEpochMs);
        next.wake();
        await settled();
      }
      nowEpochMs = untilEpochMs;
      await settled();
    },
    jumpTo(epochMs) {
      nowEpochMs = epochMs;
    },
    setBy(durationMs) {
      nowEpochMs += durationMs;
      for (const sleeper of sleepers) sleeper.dueEpochMs += durationMs;
    },
    isDueWithin: (durationMs) => [...sleepers].some(({ background, dueEpochMs }) => !background && dueEpochMs <= nowEpochMs + durationMs),
    get sleeping() {
      return sleepers.size;
    },
  };
}

/** Lets everything that waits only for promises run. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
