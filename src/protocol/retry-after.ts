/** `Retry-After`, RFC 9110 section 10.2.3: seconds or an HTTP date. */

/** Seconds to wait, whole and not negative; `undefined` if the server did not say or not properly. */
export function retryAfterSeconds(headers: Headers, nowEpochMs: number = Date.now()): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  // A date is told by the server's clock: measure it against that one where it is known.
  const serverNow = Date.parse(headers.get('date') ?? '');
  const waitMs = Date.parse(value) - (Number.isNaN(serverNow) ? nowEpochMs : serverNow);
  return Number.isNaN(waitMs) || !/[A-Za-z]/.test(value) ? undefined : Math.max(0, Math.ceil(waitMs / 1000));
}
