/**
 * A store that does not answer must not hold a flow for ever: its driver queues commands until the database is
 * back, a network drive is gone, a process sleeps with the lock. After the limit the operation counts as
 * failed. It may happen all the same, and late: so may every write whose answer was lost, and
 * what follows a failure is made for that (versions, fences, entries that are cleared away later).
 */
import { systemClock } from '../clock.ts';
import { FailureError } from '../failure.ts';

export type AnswerInTime = <Result>(operation: () => Promise<Result>) => Promise<Result>;

/**
 * Rejects with `store_failed` after `limitMs` at the latest, and not before half of it: one timer for all that is under way,
 * since a flow asks its store dozens of times. It is a timer, and no instant to be compared with the time of day, so that a
 * clock that is set ends nothing; for the same reason it is not the clock of the flow.
 */
export function answerInTime(limitMs: number, clock: Pick<typeof systemClock, 'sleep'> = systemClock): AnswerInTime {
  let older = new Set<() => void>();
  let newer = new Set<() => void>();
  let isWatching = false;

  const watch = async (): Promise<void> => {
    isWatching = true;
    while (older.size + newer.size > 0) {
      await clock.sleep(limitMs / 2, undefined, { background: true });
      for (const giveUp of older) giveUp();
      older = newer;
      newer = new Set();
    }
    isWatching = false;
  };

  return (operation) =>
    new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new FailureError('store_failed', 'storage', { reason: 'It did not answer in time.' }));
      const settle =
        <Outcome>(end: (outcome: Outcome) => void) =>
        (outcome: Outcome): void => {
          older.delete(giveUp);
          newer.delete(giveUp);
          end(outcome);
        };
      newer.add(giveUp);
      if (!isWatching) void watch();
      // A store of somebody who uses no type checker may answer at once.
      Promise.resolve(operation()).then(settle(resolve), settle(reject));
    });
}
