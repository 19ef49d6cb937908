/**
 * The keys of one issuer: found by discovery, kept, looked for again when they are
 * old or one is missing, and never more often than the cool-down allows (GWY-10).
 *
 * jose's `createRemoteJWKSet` is not used: it finds no keys by issuer, forgets the
 * keys it has when the issuer is down, and asks a failing issuer anew for every
 * request. Choosing and importing keys is still jose's.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import * as z from 'zod/mini';
import type { Clock } from '../clock.ts';
import { FailureError, kindOf } from '../failure.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import type { Http } from '../protocol/http.ts';
import { serverMetadataUrls } from '../protocol/well-known.ts';
import type { GatewayLog } from './gateway-log.ts';
import { TokenRejected, ValidatorUnavailable } from './token-validator.ts';

/** Keys that are older are looked for again; meanwhile the old ones serve. */
const FRESH_MS = 10 * 60_000;
/** An issuer that is down longer is no longer vouched for: a key it withdrew would go on being good. */
const USABLE_MS = 60 * 60_000;
/** A key nobody knows, or an issuer that fails, is asked about once in this time, whatever callers send. */
const COOL_DOWN_MS = 30_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;
export type VerificationKey = Awaited<ReturnType<KeySet>>;

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where the keys are. Left out: `jwks_uri` of the issuer's metadata. */
  readonly jwksUrl: string | undefined;
  readonly http: Http;
  readonly clock: Clock;
  readonly log: GatewayLog;
}

export interface IssuerKeys {
  /**
   * The keys that may have signed the token; more than one where it names none.
   *
   * @throws TokenRejected if the issuer has no such key
   * @throws ValidatorUnavailable if that cannot be found out
   */
  candidates(header: JWSHeaderParameters): Promise<readonly VerificationKey[]>;
}

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** Tokens without `kid` are tried with every key that fits; each try costs a verification. */
const MOST_CANDIDATES = 4;

/** Workers forbid waiting for what another request began. */
export const isWorkers = (): boolean => globalThis.navigator?.userAgent === 'Cloudflare-Workers';

export function issuerKeys({ issuer, jwksUrl, http, clock, log }: IssuerKeysOptions): IssuerKeys {
  let known: { readonly keySet: KeySet; readonly atEpochMs: number } | undefined;
  let lastTry: { readonly atEpochMs: number; readonly hasFailed: boolean } | undefined;
  let underWay: Promise<void> | undefined;

  const isWithin = (atEpochMs: number | undefined, durationMs: number): boolean => {
    // A clock that was set back must not make anything last.
    const ageMs = clock.now() - (atEpochMs ?? Number.NEGATIVE_INFINITY);
    return ageMs >= 0 && ageMs < durationMs;
  };

  const unavailable = (reason: string): ValidatorUnavailable => {
    const waitMs = lastTry?.hasFailed === true ? lastTry.atEpochMs + COOL_DOWN_MS - clock.now() : 0;
    return new ValidatorUnavailable(reason, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
  };

  const fetchKeys = async (): Promise<void> => {
    let failureReason: string | undefined;
    try {
      const keySet = createLocalJWKSet(await readKeys(http, issuer, jwksUrl));
      known = { keySet, atEpochMs: clock.now() };
    } catch (thrown) {
      failureReason = thrown instanceof FailureError ? thrown.message : `The keys cannot be used (${kindOf(thrown)}).`;
    }
    lastTry = { atEpochMs: clock.now(), hasFailed: failureReason !== undefined };
    if (failureReason === undefined) return;
    log('error', 'issuer-keys-failed', { issuer, reason: failureReason });
    throw unavailable("The issuer's keys could not be fetched.");
  };

  const look = (): Promise<void> => {
    if (underWay !== undefined && !isWorkers()) return underWay;
    const looking = fetchKeys().finally(() => {
      if (underWay === looking) underWay = undefined;
    });
    underWay = looking;
    return looking;
  };
  const isCoolingDown = (): boolean => isWithin(lastTry?.atEpochMs, COOL_DOWN_MS);

  const keysWithin = (durationMs: number): KeySet | undefined =>
    known !== undefined && isWithin(known.atEpochMs, durationMs) ? known.keySet : undefined;

  /** Nobody waits for it, but where it would be ended with the request that began it. */
  const lookBeside = async (): Promise<void> => {
    if (isCoolingDown()) return;
    const looking = look().catch(() => {});
    if (isWorkers()) await looking;
  };

  const currentKeys = async (): Promise<KeySet> => {
    const fresh = keysWithin(FRESH_MS);
    if (fresh !== undefined) return fresh;
    const old = keysWithin(USABLE_MS);
    if (old !== undefined) {
      await lookBeside();
      return keysWithin(USABLE_MS) ?? old;
    }
    if (lastTry?.hasFailed === true && isCoolingDown()) throw unavailable("The issuer's keys could not be fetched a moment ago.");
    await look();
    if (known === undefined) throw unavailable("The issuer's keys are not known.");
    return known.keySet;
  };

  return {
    async candidates(header) {
      const found = await matching(await currentKeys(), header);
      if (found.length > 0) return found;
      // A key that is new, or one that never was. A look that is under way may bring it.
      if (underWay === undefined && isCoolingDown()) {
        if (lastTry?.hasFailed === true) throw unavailable('The key is not known, and the keys could not be fetched a moment ago.');
        throw new TokenRejected('The issuer has no such key.');
      }
      await look();
      const later = known === undefined ? [] : await matching(known.keySet, header);
      if (later.length === 0) throw new TokenRejected('The issuer has no such key.');
      return later;
    },
  };
}

async function matching(keySet: KeySet, header: JWSHeaderParameters): Promise<readonly VerificationKey[]> {
  try {
    return [await keySet(header)];
  } catch (thrown) {
    if (thrown instanceof errors.JWKSNoMatchingKey) return [];
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw new TokenRejected('The key of the issuer cannot be used.');
    const keys: VerificationKey[] = [];
    for await (const key of thrown) {
      keys.push(key);
      if (keys.length === MOST_CANDIDATES) break;
    }
    return keys;
  }
}

async function readKeys(http: Http, issuer: string, jwksUrl: string | undefined): Promise<JSONWebKeySet> {
  const url = jwksUrl ?? (await findKeysUrl(http, issuer));
  const response = await http(url, { phase: 'server-metadata', purpose: 'server-metadata', headers: { accept: 'application/json' } });
  if (response.status !== 200) throw failed('server_unavailable', issuer, `The keys were answered with ${response.status}.`);
  const parsed = keysSchema.safeParse(await jsonOf(response));
  if (!parsed.success) throw failed('metadata_incomplete', issuer, 'The keys are no JSON Web Key Set.');
  return parsed.data as JSONWebKeySet;
}

async function findKeysUrl(http: Http, issuer: string): Promise<string> {
  let reason = 'No metadata was found.';
  for (const url of serverMetadataUrls(issuer)) {
    const response = await http(url, { phase: 'server-metadata', purpose: 'server-metadata', headers: { accept: 'application/json' } });
    if (response.status !== 200) {
      reason = `The metadata was answered with ${response.status}.`;
      continue;
    }
    const parsed = metadataSchema.safeParse(await jsonOf(response));
    if (!parsed.success) continue;
    // RFC 8414 section 3.3: metadata of another issuer must not be used, nor may another document be looked for then.
    if (parsed.data.issuer !== issuer) throw failed('issuer_mismatch', issuer, 'The metadata names another issuer.');
    if (!isSafeEndpoint(parsed.data.jwks_uri)) throw failed('endpoint_refused', issuer, 'jwks_uri is not https, nor http on loopback.');
    return parsed.data.jwks_uri;
  }
  throw failed('server_unavailable', issuer, reason);
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function failed(
  code: 'server_unavailable' | 'metadata_incomplete' | 'issuer_mismatch' | 'endpoint_refused',
  issuer: string,
  reason: string,
) {
  return new FailureError(code, 'server-metadata', { issuer, reason });
}
