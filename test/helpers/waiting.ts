/** Waiting in tests: for what a client shows, and for work that only goes on while the clock turns. */
import type { AuthorizationClient } from '../../src/client.ts';
import type { AuthorizationStatus } from '../../src/status.ts';
import { type SimulatedClock, settled } from './simulated-clock.ts';

type Step = AuthorizationStatus['step'];
export type StatusAt<Wanted extends Step> = Extract<AuthorizationStatus, { readonly step: Wanted }>;

/** The first status, from now on, with that step. */
export function untilStep<Wanted extends Step>(client: AuthorizationClient, step: Wanted): Promise<StatusAt<Wanted>> {
  return new Promise((resolve) => {
    const check = (status: AuthorizationStatus): void => {
      if (status.step !== step) return;
      stop();
      resolve(status as StatusAt<Wanted>);
    };
    const stop = client.subscribe(check);
    check(client.status);
  });
}

/** Longer than every pause between tries, far shorter than the user's deadline. */
const LONGEST_PAUSE_MS = 60_000;

/**
 * What the work comes to while time passes on the simulated clock. Time passes
 * only while someone waits for it: requests and hashes need their turn, not time.
 */
export async function whileTimePasses<Result>(
  clock: SimulatedClock,
  work: Promise<Result>,
  stepMs = 500,
  longestPauseMs = LONGEST_PAUSE_MS,
): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  // A rejection is for whoever awaits the result.
  done.catch(() => {});
  while (!isDone) {
    await settled();
    if (clock.isDueWithin(longestPauseMs)) await clock.advance(stepMs);
  }
  return done;
}

/** The failure that a call rejects with, as plain data. */
export async function failureOfCall(work: Promise<unknown>): Promise<{ readonly code: string; readonly [fact: string]: unknown }> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) throw new Error('the call was to fail');
  const { failure } = outcome as { failure?: { code: string } };
  if (failure === undefined) throw outcome;
  return failure as { code: string };
}

export { settled };
