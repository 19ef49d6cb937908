/**
 * A login or a sign-out in another tab or process shows in this one at once, where
 * the store tells of changes: it reads the store again, and nothing else. Flows that
 * are under way look for themselves.
 */
import { isResting } from '../machines/selectors.ts';
import type { Flow } from './flow.ts';

/** Follows from the moment the store has been read for the first time; returns how to stop. */
export function followStore(flow: Flow): () => void {
  const { actor, environment } = flow;
  // A store of its own is changed by nobody else.
  if (environment.settings.store?.watch === undefined) return () => {};
  let stopWatching: (() => void) | undefined;
  let isStopped = false;
  let isLooking = false;
  let isStale = false;

  const follow = (issuer: string | undefined): void => {
    stopWatching?.();
    stopWatching = isStopped ? undefined : environment.credentials.watch(issuer, changed);
  };

  const look = async (): Promise<void> => {
    const issuer = await environment.credentials.boundIssuer();
    follow(issuer);
    const stored = issuer === undefined ? undefined : await environment.credentials.read(issuer);
    if (!isStopped) adoptOutcome(flow, stored?.facts.version);
  };

  /** One look at a time, and one more if something has changed since it began. */
  const lookOften = async (): Promise<void> => {
    isLooking = true;
    while (isStale && !isStopped) {
      isStale = false;
      // A store with a bad moment costs nothing here: the next request reads it, too.
      await look().catch(() => undefined);
    }
    isLooking = false;
  };
  const changed = (): void => {
    isStale = true;
    if (!isLooking) void lookOften();
  };

  const begun = actor.subscribe(({ context }) => {
    if (!context.restored) return;
    begun.unsubscribe();
    follow(context.token?.issuer);
  });

  return () => {
    isStopped = true;
    begun.unsubscribe();
    stopWatching?.();
  };
}

/** Which credential it is decides, and not whether there is one: a tab that slept has missed who signed out and who signed in since. */
function adoptOutcome({ actor, send, environment }: Flow, version: string | undefined): void {
  const snapshot = actor.getSnapshot();
  if (!isResting(snapshot)) return;
  const { accessTokens } = environment;
  const inUse = snapshot.matches({ resting: 'authorized' }) ? accessTokens.current?.version : undefined;
  if (version === inUse) return;
  // Tokens the store did not take are still the credential (RFR-07).
  if (inUse !== undefined && accessTokens.unsaved !== undefined) return;
  // What was signed out is sent no more; what was replaced may serve until its successor has been read.
  if (version === undefined) accessTokens.hold(undefined);
  send({ type: 'session.restore' });
}
