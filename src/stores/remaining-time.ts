/** Instants of the caller's clock as durations, which mean the same on a database whose clock differs. */

/** The latest instant a `Date` can hold; whatever ends later does not end. */
const LATEST_EPOCH_MS = 8.64e15;

/** Whole milliseconds, at most zero if it is over; `undefined`: it never ends. */
export function remainingMs(expiresAtEpochMs: number | undefined, nowEpochMs: number): number | undefined {
  if (expiresAtEpochMs === undefined || expiresAtEpochMs >= LATEST_EPOCH_MS) return undefined;
  return Math.ceil(expiresAtEpochMs - nowEpochMs);
}
