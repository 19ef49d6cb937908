/**
 * Leases held by this process: one at a time per key among all that share a
 * store, renewed while the work lasts, and over by themselves soon after their
 * holder died (RES-08).
 */
import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { Lease, Store } from '../stores/contract.ts';

export interface HeldLease {
  readonly key: string;
  /** Grows with every new holder of the key; pass it on to whatever can refuse an older one. */
  readonly fence: number;
  /** Aborted, with a `FailureError` as reason, when the lease is lost: another may be at work by now. */
  readonly signal: AbortSignal;
  /** False also where nobody has noticed yet: a process that was asleep learns it from the clock before its timers run. */
  isCurrent(): boolean;
  /** Ends the lease; never rejects, because a lease that cannot be released runs out by itself. */
  release(): Promise<void>;
}

export interface Leases {
  /** `undefined` while another holds it, or this very object does. Rejects with `store_failed`. */
  tryAcquire(key: string): Promise<HeldLease | undefined>;
}

// Two renewals may fail before the lease runs out.
const RENEWALS_PER_LEASE = 3;

export function createLeases(o: {
  readonly store: Store;
  readonly clock: Clock;
  /** Differs from every other holder's, in other processes too. Default: a random one, made for the first lease. */
  readonly owner?: string;
  readonly leaseMs: number;
}): Leases {
  const { store, clock, leaseMs } = o;
  // Not before it is needed: workers have no randomness while their modules load.
  let owner = o.owner;
  const held = new Set<string>();

  return {
    async tryAcquire(key) {
      if (held.has(key)) return undefined;
      held.add(key);
      try {
        owner ??= crypto.randomUUID();
        const askedAtEpochMs = clock.now();
        const lease = await store.acquireLease(key, owner, leaseMs);
        if (lease !== undefined) return hold({ store, clock, leaseMs, lease, askedAtEpochMs, ended: () => held.delete(key) });
      } catch (thrown) {
        held.delete(key);
        throw thrown;
      }
      held.delete(key);
      return undefined;
    },
  };
}

// Given a reason, `abort` need not make an exception with a stack of its own: most leases are over in a moment.
const OVER = 'over';

function hold(o: {
  readonly store: Store;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly lease: Lease;
  readonly askedAtEpochMs: number;
  readonly ended: () => void;
}): HeldLease {
  const { store, clock, leaseMs } = o;
  const { key, owner, fence } = o.lease;
  const lost = new AbortController();
  const stop = new AbortController();
  let latest = o.lease;
  // By the clock here, from before it was asked for: the store's own may be set otherwise, on another machine.
  let lastsUntilEpochMs = o.askedAtEpochMs + leaseMs;
  let renewal: Promise<Lease | undefined> | undefined;

  /** False if the lease was lost; a store that fails or hangs only costs time. */
  const renew = async (): Promise<boolean> => {
    const askedAtEpochMs = clock.now();
    let isAnswered = true;
    renewal = store.acquireLease(key, owner, leaseMs).catch(() => {
      isAnswered = false;
      return latest;
    });
    const renewed = await within(clock, lastsUntilEpochMs - askedAtEpochMs, renewal, stop.signal);
    // Another fence: it had run out, and someone may have worked in between.
    if (renewed?.fence !== fence) return false;
    latest = renewed;
    if (isAnswered) lastsUntilEpochMs = askedAtEpochMs + leaseMs;
    return true;
  };

  const keepAlive = async (): Promise<void> => {
    do await clock.sleep(leaseMs / RENEWALS_PER_LEASE, stop.signal, { background: true });
    while (clock.now() < lastsUntilEpochMs && (await renew()));
    if (!stop.signal.aborted) lost.abort(new FailureError('flow_taken_over', 'storage', { reason: 'The lease ran out.' }));
  };
  keepAlive().catch(() => undefined);

  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    stop.abort(OVER);
    // A renewal still under way would take the lease once more after it was released.
    const last = renewal && (await within(clock, leaseMs, renewal));
    await store.releaseLease(last ?? latest).catch(() => undefined);
    o.ended();
  };

  return {
    key,
    fence,
    signal: lost.signal,
    isCurrent: () => !lost.signal.aborted && clock.now() < lastsUntilEpochMs,
    release: () => {
      released ??= release();
      return released;
    },
  };
}

/** What `work` resolves to, or undefined if it takes longer; rejects only when aborted. */
async function within<Result>(clock: Clock, durationMs: number, work: Promise<Result>, signal?: AbortSignal): Promise<Result | undefined> {
  const done = new AbortController();
  const waiting = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
  const tooLong = clock.sleep(durationMs, waiting, { background: true }).then(() => undefined);
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    done.abort(OVER);
    tooLong.catch(() => undefined);
  }
}
