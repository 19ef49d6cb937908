/** Waiting for a lease that another owner holds. */
import type { Clock } from '../clock.ts';
import { type FailureCode, FailureError, type Phase } from '../failure.ts';
import type { HeldLease, Leases } from './lease.ts';

const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 250;

/**
 * The lease, as soon as it is free. `meanwhile` is asked before each wait: what
 * it returns ends the waiting, because the holder has done the work already.
 *
 * @throws FailureError the one that is named for it, after `waitMs`.
 */
export async function takeTurn<Done = never>(
  leases: Leases,
  key: string,
  o: {
    readonly clock: Clock;
    readonly waitMs: number;
    readonly signal: AbortSignal;
    /** What is said of a holder that has not finished by then. */
    readonly busy: { readonly code: FailureCode; readonly phase: Phase };
    readonly meanwhile?: () => Promise<Done | undefined>;
  },
): Promise<{ readonly turn: HeldLease } | { readonly done: Done }> {
  // Counted by the pauses and not by the time of day: a clock that is set back must not make anyone wait for hours.
  let waitedMs = 0;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
    const turn = await leases.tryAcquire(key);
    if (turn !== undefined) return { turn };
    const done = await o.meanwhile?.();
    if (done !== undefined) return { done };
    if (waitedMs >= o.waitMs) throw new FailureError(o.busy.code, o.busy.phase);
    await o.clock.sleep(pollMs, o.signal);
    waitedMs += pollMs;
  }
}
