/** The public keys of a client that is known by a metadata document: in the document itself, or where it says (RFC 7591 section 2). */
import type { JWK } from 'jose';
import * as z from 'zod/mini';
import type { Clock } from '../../clock.ts';
import type { Http } from '../../protocol/http.ts';
import { isWorkers } from '../issuer-keys.ts';

export type ClientKeys = (keyId: string | undefined) => Promise<readonly JWK[]>;

const MOST_KEYS = 20;
const KEPT_MS = 5 * 60_000;
/** A key that nobody knows, or a place that gave none, makes us look again, this often at most: whoever asks need not prove anything. */
const AGAIN_MS = 30_000;

const jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())).check(z.maxLength(MOST_KEYS)) });

/** Keys to verify with; `undefined` for what is no key set, or holds a private key: everybody has it then. */
export function publicKeysIn(document: unknown): readonly JWK[] | undefined {
  const { data } = jwks.safeParse(document);
  if (data === undefined || data.keys.some((key) => 'd' in key || 'k' in key)) return undefined;
  const isFor = (key: Readonly<Record<string, unknown>>): boolean =>
    ['EC', 'RSA', 'OKP'].includes(String(key['kty'])) && (key['use'] ?? 'sig') === 'sig';
  return data.keys.filter(isFor) as JWK[];
}

/** @param http by the same rules as the document itself */
export function keysAt(url: string, { http, clock, unusable }: { http: Http; clock: Clock; unusable: () => Error }): ClientKeys {
  let kept: { readonly keys: readonly JWK[]; readonly atEpochMs: number } | undefined;
  let failed: { readonly thrown: unknown; readonly atEpochMs: number } | undefined;
  let underWay: Promise<readonly JWK[]> | undefined;

  const ask = async (): Promise<readonly JWK[]> => {
    const response = await http(url, { phase: 'registration', purpose: 'registration', headers: { Accept: 'application/json' } });
    const keys = response.ok ? publicKeysIn(await response.json().catch(() => undefined)) : undefined;
    if (keys === undefined) throw unusable();
    kept = { keys, atEpochMs: clock.now() };
    return keys;
  };

  const read = (): Promise<readonly JWK[]> => {
    if (failed !== undefined && isWithin(failed.atEpochMs, AGAIN_MS)) return Promise.reject(failed.thrown);
    if (underWay !== undefined && !isWorkers()) return underWay;
    const asking = ask()
      .catch((thrown: unknown) => {
        failed = { thrown, atEpochMs: clock.now() };
        throw thrown;
      })
      .finally(() => {
        if (underWay === asking) underWay = undefined;
      });
    underWay = asking;
    return asking;
  };

  /** A clock that was set back must not make anything last. */
  const isWithin = (atEpochMs: number, durationMs: number): boolean => {
    const age = clock.now() - atEpochMs;
    return age >= 0 && age < durationMs;
  };

  return async (keyId) => {
    if (kept === undefined || !isWithin(kept.atEpochMs, KEPT_MS)) return read();
    const isKnown = keyId === undefined || kept.keys.some(({ kid }) => kid === keyId);
    return isKnown || isWithin(kept.atEpochMs, AGAIN_MS) ? kept.keys : read();
  };
}
