/** Status and progress as user interfaces need them: the same object until a person could see a difference (OBS-02, OBS-03). */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import { attemptOf, progressOf, statusOf } from '../machines/selectors.ts';
import type { AuthorizationStatus, Progress } from './status.ts';

export interface StatusObserver {
  current(): AuthorizationStatus;
  progress(): Progress;
  subscribe(listener: (status: AuthorizationStatus, progress: Progress) => void): () => void;
}

export function observeStatus(actor: Actor<AuthorizationMachine>): StatusObserver {
  let status = statusOf(actor.getSnapshot());
  let progress = progressOf(actor.getSnapshot());
  let seen = JSON.stringify([status, progress]);
  let attempt = '';
  const listeners = new Set<(status: AuthorizationStatus, progress: Progress) => void>();
  let isStale = false;

  const refresh = (): boolean => {
    if (!isStale) return false;
    isStale = false;
    const snapshot = actor.getSnapshot();
    const currentAttempt = attemptOf(snapshot);
    const next = statusOf(snapshot);
    const nextProgress = progressOf(snapshot, currentAttempt === attempt ? progress.completed : 0);
    attempt = currentAttempt;
    const nextSeen = JSON.stringify([next, nextProgress]);
    if (nextSeen === seen) return false;
    [status, progress, seen] = [next, nextProgress, nextSeen];
    return true;
  };

  /** A listener that throws keeps nothing from the others; its error is reported as XState reports those of its own. */
  const tell = (listener: (status: AuthorizationStatus, progress: Progress) => void): void => {
    try {
      listener(status, progress);
    } catch (thrown) {
      setTimeout(() => {
        throw thrown;
      });
    }
  };

  actor.subscribe(() => {
    isStale = true;
    // Without listeners nothing is worked out until someone asks.
    if (listeners.size > 0 && refresh()) for (const listener of [...listeners]) tell(listener);
  });

  return {
    current() {
      refresh();
      return status;
    },
    progress() {
      refresh();
      return progress;
    },
    subscribe(listener) {
      // What has changed before is no news.
      refresh();
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
