/** Waiting for the chart, with the caller's own way out. */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import type { AuthorizationSnapshot } from '../machines/selectors.ts';
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';

/**
 * The first snapshot, from now on, that satisfies the predicate. Rejects with the
 * signal's reason as soon as it aborts: the flow goes on for the others (FET-07).
 */
export function until(
  actor: Actor<AuthorizationMachine>,
  predicate: (snapshot: AuthorizationSnapshot) => boolean,
  signal?: AbortSignal,
): Promise<AuthorizationSnapshot> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const now = actor.getSnapshot();
    if (now.status !== 'active') {
      reject(new AuthorizationError(failure('closed', 'request')));
      return;
    }
    if (predicate(now)) {
      resolve(now);
      return;
    }
    const stop = (): void => {
      subscription.unsubscribe();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      stop();
      reject(signal?.reason);
    };
    const subscription = actor.subscribe({
      next(snapshot) {
        if (!predicate(snapshot)) return;
        stop();
        resolve(snapshot);
      },
      complete() {
        stop();
        reject(new AuthorizationError(failure('closed', 'request')));
      },
      error() {
        stop();
        reject(new AuthorizationError(failure('internal_error', 'request')));
      },
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** What the shared work comes to; with the caller's own way out, which ends nothing but the caller's waiting (FET-07). */
export function orAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const settle =
      <Outcome>(end: (outcome: Outcome) => void) =>
      (outcome: Outcome): void => {
        signal.removeEventListener('abort', onAbort);
        end(outcome);
      };
    work.then(settle(resolve), settle(reject));
  });
}
