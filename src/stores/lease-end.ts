/** Leases end by the time of day, which can be set: a holder that is dead would keep its lease for as long as the clock was set back. */

export interface RunningLease {
  readonly expiresAtEpochMs: number;
  /** How long it was given for when it was taken or last renewed; absent in what older versions wrote. */
  readonly durationMs?: number | undefined;
}

/**
 * When the lease ends, if that is sooner than it says: none has more time left than it was given. Whoever finds it so
 * writes that down, and it ends by itself; a holder that lives renews it as ever.
 */
export function correctedEnd({ expiresAtEpochMs, durationMs }: RunningLease, nowEpochMs: number): number | undefined {
  if (durationMs === undefined || expiresAtEpochMs - nowEpochMs <= durationMs) return undefined;
  return nowEpochMs + durationMs;
}
