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

/** Long enough for every pause between tries and for a lease to run out, not for the user's deadline. */
const LONGEST_PASSED_MS = 100_000;

/** What the work comes to while time passes on the simulated clock; no real time is waited for. */
export async function whileTimePasses<Result>(clock: SimulatedClock, work: Promise<Result>, stepMs = 500): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  // A rejection is for whoever awaits the result.
  done.catch(() => {});
  for (let passedMs = 0; !isDone; passedMs += stepMs) {
    await settled();
    // Hashes are made in threads of their own: what is left then needs no time, only its turn.
    if (passedMs < LONGEST_PASSED_MS) await clock.advance(stepMs);
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
