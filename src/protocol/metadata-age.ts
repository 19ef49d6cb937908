/**
 * How long fetched metadata may be used without asking again (ASM-07), by the
 * parts of RFC 9111 that a private cache of one document needs.
 */
import type { Limits } from '../limits.ts';

/** A server that says "a year" would pin clients to endpoints it has long moved. */
const LONGEST_AGE_SECONDS = 24 * 60 * 60;

/** Seconds the response may be kept, `0` for not at all; `undefined` if it does not say. */
export function maxAgeSeconds(headers: Headers): number | undefined {
  const control = headers.get('cache-control')?.toLowerCase() ?? '';
  const directives = control.split(',').map((directive) => directive.trim());
  if (directives.some((directive) => directive === 'no-store' || directive === 'no-cache' || directive.startsWith('no-cache='))) return 0;
  const stated = directives.map((directive) => /^max-age="?(\d{1,12})"?$/.exec(directive)?.[1]).find((seconds) => seconds !== undefined);
  if (stated === undefined) return undefined;
  // A shared cache on the way may have held it for a while already.
  const spent = /^\d{1,12}$/.exec(headers.get('age')?.trim() ?? '')?.[0];
  return Math.max(0, Math.min(Number(stated) - Number(spent ?? 0), LONGEST_AGE_SECONDS));
}

/**
 * @param maxAge what the server said, in seconds; `undefined` for `limits.metadataMaxAgeMs`
 * @returns false also for a record from the future: the clock was set back, so its age is unknown
 */
export function isFresh(
  storedAtEpochMs: number,
  maxAge: number | undefined,
  nowMs: number,
  limits: Pick<Limits, 'metadataMaxAgeMs'>,
): boolean {
  const ageMs = nowMs - storedAtEpochMs;
  return ageMs >= 0 && ageMs < (maxAge === undefined ? limits.metadataMaxAgeMs : maxAge * 1000);
}
