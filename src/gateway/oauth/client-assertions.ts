/**
 * Clients that prove who they are by a signature: `private_key_jwt` (RFC 7523 sections
 * 2.2 and 3, RFC 7521), for clients known by a metadata document. An assertion serves
 * once, on all replicas together, and for five minutes at most.
 */
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { RECORD_FORMAT } from '../../records/record-format.ts';
import type { GatewayClient } from './client-registration.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { endpointsOf } from './metadata-documents.ts';
import { OAuthAnswer } from './oauth-answers.ts';
import { SIGNING_ALGORITHMS } from './option-problems.ts';
import { digestOf } from './random-text.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface ClientAssertions {
  /** Is this an assertion of the client, and the first time that it is shown? @throws OAuthAnswer where that cannot be found out */
  prove(client: GatewayClient, assertion: string): Promise<boolean>;
}

const LONGEST_CHARACTERS = 8192;
/** Clocks differ. */
const LEEWAY_SECONDS = 60;
const LONGEST_LIFE_SECONDS = 300;
/** Each assertion is remembered until it has expired; a client that signs more than this would fill the store. */
const MOST_PER_MINUTE = 600;
const MOST_COUNTED = 1_000;
const MINUTE_MS = 60_000;
const TYPES: ReadonlySet<string | undefined> = new Set([undefined, 'jwt', 'client-authentication+jwt']);

/** Who the assertion says it is of; nothing is proven by it. */
export function claimedClient(assertion: string): string | undefined {
  if (assertion.length > LONGEST_CHARACTERS) return undefined;
  try {
    return decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}

export function createClientAssertions({ issuer, store, clock }: Pick<GatewaySettings, 'issuer' | 'store' | 'clock'>): ClientAssertions {
  // Exactly one, and as we write it: an assertion for another server must not serve here.
  const audiences: readonly unknown[] = [issuer, endpointsOf(issuer).token];
  const counts = new Map<string, { fromEpochMs: number; count: number }>();

  const countOne = (clientId: string): void => {
    const now = clock.now();
    let counted = counts.get(clientId);
    if (counted === undefined || now - counted.fromEpochMs >= MINUTE_MS || now < counted.fromEpochMs) {
      if (counts.size >= MOST_COUNTED) counts.clear();
      counted = { fromEpochMs: now, count: 0 };
      counts.set(clientId, counted);
    }
    counted.count += 1;
    if (counted.count > MOST_PER_MINUTE) {
      const headers = { 'Retry-After': '60' };
      throw new OAuthAnswer('temporarily_unavailable', 'The client asks too often.', { status: 429, headers });
    }
  };

  const isFirst = async (clientId: string, { jti, exp = 0 }: JWTPayload): Promise<boolean> => {
    const key = `assertion/${await digestOf(`${clientId} ${jti}`)}`;
    const expiresAtEpochMs = (exp + LEEWAY_SECONDS + 1) * 1000;
    return (await store.write(key, { format: RECORD_FORMAT }, { expected: null, expiresAtEpochMs })).written;
  };

  return {
    async prove(client, assertion) {
      if (assertion.length > LONGEST_CHARACTERS) return false;
      const keys = await client.keys?.(keyIdIn(assertion));
      const now = clock.now();
      const payload = keys && (await verified(client.clientId, assertion, { keys: [...keys] }, now));
      if (payload === undefined || !isForUs(payload, audiences, now / 1000)) return false;
      countOne(client.clientId);
      return isFirst(client.clientId, payload);
    },
  };
}

async function verified(clientId: string, assertion: string, keys: JSONWebKeySet, nowEpochMs: number): Promise<JWTPayload | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(assertion, createLocalJWKSet(keys), {
      issuer: clientId,
      subject: clientId,
      // Never `none`, and never a secret: what the client publishes is known to everybody.
      algorithms: [...SIGNING_ALGORITHMS],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(nowEpochMs),
      requiredClaims: ['exp', 'jti', 'aud'],
    });
    return TYPES.has(protectedHeader.typ?.toLowerCase()) ? payload : undefined;
  } catch {
    return undefined;
  }
}

function isForUs({ aud, exp = 0, iat, jti }: JWTPayload, audiences: readonly unknown[], nowSeconds: number): boolean {
  const [audience, ...others] = [aud].flat();
  const isOfNow = exp <= nowSeconds + LONGEST_LIFE_SECONDS + LEEWAY_SECONDS && (iat === undefined || iat <= nowSeconds + LEEWAY_SECONDS);
  return isOfNow && others.length === 0 && audiences.includes(audience) && typeof jti === 'string' && jti !== '';
}

function keyIdIn(assertion: string): string | undefined {
  try {
    const header: unknown = JSON.parse(atob((assertion.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
    const { kid } = Object(header) as { kid?: unknown };
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}
