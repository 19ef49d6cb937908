/**
 * The gateway's own access tokens, bound to the resource: signed (RFC 9068), or sealed
 * so that only the gateway can read them. Both name their grant, in which the upstream
 * tokens are; neither holds one (GWY-08).
 */
import { type JWK, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod/mini';
import { FailureError } from '../../failure.ts';
import { decodeRecord, RECORD_FORMAT } from '../../records/record-format.ts';
import { seal, unseal } from '../../stores/sealed-entry.ts';
import { validatedTokens } from '../validated-tokens.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grant } from './grant-records.ts';
import { digestOf, randomText } from './random-text.ts';
import { loadSigningKeys, type UsableKey } from './signing-keys.ts';

export interface AccessTokenClaims {
  readonly grantId: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAtEpochSeconds: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface AccessTokens {
  issue(grant: Grant, scopes: readonly string[], lifetimeSeconds: number): Promise<string>;
  /** `undefined` for whatever is not a token of this gateway, for this resource, at this time. @throws FailureError for keys that cannot be used */
  verify(token: string): Promise<AccessTokenClaims | undefined>;
  /** The grant of a token that is to be revoked. */
  ownerOf(token: string): Promise<Pick<AccessTokenClaims, 'grantId' | 'clientId'> | undefined>;
  /** Of tokens that are passed through: whether this process handed it out a moment ago, and it has not expired since. */
  isJustIssued?(token: string): Promise<boolean>;
  /** What others verify signed tokens with; empty for sealed ones. */
  publicKeys(): Promise<readonly JWK[]>;
  readonly algorithms: readonly string[];
}

const LONGEST_TOKEN_CHARACTERS = 8192;
const JUST_ISSUED = { maxAgeMs: 60_000, maxEntries: 1000 };

const claimsSchema = z.object({
  grant_id: z.string(),
  sub: z.string(),
  client_id: z.string(),
  scope: z.optional(z.string()),
  exp: z.number(),
});

type Settings = Pick<GatewaySettings, 'store' | 'format' | 'signingKeys' | 'ring' | 'issuer' | 'resource' | 'clock'>;

export function createAccessTokens(settings: Settings): AccessTokens {
  switch (settings.format) {
    case 'jwt':
      return signedTokens(settings);
    case 'opaque':
      return sealedTokens(settings);
    case 'upstream':
      return passedThroughTokens(settings);
  }
}

/** None of our own: whether one is valid is for the configured validator to know. */
function passedThroughTokens({ store, clock }: Settings): AccessTokens {
  const keyOf = async (token: string): Promise<string> => `token/${await digestOf(token)}`;
  const justIssued = validatedTokens({ ...JUST_ISSUED, clock });
  return {
    algorithms: [],
    async issue({ grantId, clientId, upstream, expiresAtEpochMs }) {
      // Nothing in a foreign token says which grant it is of.
      const value = { format: RECORD_FORMAT, grantId, clientId };
      const { accessToken: token, expiresAtEpochMs: endsAtEpochMs = expiresAtEpochMs } = upstream;
      const key = await keyOf(token);
      await store.write(key, value, { expiresAtEpochMs: endsAtEpochMs });
      justIssued.keep(key, { token, scopes: [], claims: {}, expiresAtEpochSeconds: endsAtEpochMs / 1000 });
      return token;
    },
    verify: () => Promise.resolve(undefined),
    async ownerOf(token) {
      const found = await store.read(await keyOf(token));
      return found && decodeRecord('token', ownerSchema, found);
    },
    isJustIssued: async (token) => justIssued.find(await keyOf(token), token) !== undefined,
    publicKeys: () => Promise.resolve([]),
  };
}

const ownerSchema = z.object({ grantId: z.string(), clientId: z.string() });

function signedTokens({ signingKeys, issuer, resource, clock }: Settings): AccessTokens {
  let made: Promise<readonly UsableKey[]> | undefined;
  const keys = (): Promise<readonly UsableKey[]> => (made ??= loadSigningKeys(signingKeys));
  const algorithms = [...new Set(signingKeys?.map((key) => key.alg) ?? ['ES256'])];

  const tokens: Omit<AccessTokens, 'ownerOf'> = {
    algorithms,
    async issue(grant, scopes, lifetimeSeconds) {
      const [key] = await keys();
      if (key === undefined) throw new FailureError('internal_error', 'token', { reason: 'There is no signing key.' });
      return new SignJWT(claimsOf(grant, scopes))
        .setProtectedHeader({ alg: key.algorithm, typ: 'at+jwt', kid: key.keyId })
        .setIssuer(issuer)
        .setAudience(resource)
        .setIssuedAt(seconds(clock.now()))
        .setExpirationTime(seconds(clock.now()) + lifetimeSeconds)
        .setJti(randomText())
        .sign(key.sign);
    },
    async verify(token) {
      if (token.length > LONGEST_TOKEN_CHARACTERS) return undefined;
      // What is wrong with a key is not wrong with the token.
      const known = await keys();
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid, alg }) => {
            const key = known.find(({ keyId, algorithm }) => keyId === kid && algorithm === alg);
            if (key === undefined) throw new FailureError('token_response_invalid', 'token', { reason: 'No such key.' });
            return key.verify;
          },
          {
            issuer,
            audience: resource,
            typ: 'at+jwt',
            algorithms,
            currentDate: new Date(clock.now()),
            requiredClaims: ['exp', 'iat', 'jti'],
          },
        );
        return factsIn(payload);
      } catch {
        return undefined;
      }
    },
    publicKeys: async () => (await keys()).map(({ published }) => published),
  };
  return { ...tokens, ownerOf: tokens.verify };
}

function sealedTokens({ ring, issuer, resource, clock }: Settings): AccessTokens {
  // What is sealed for another gateway or resource does not open.
  const place = `access-token ${issuer} ${resource}`;
  const tokens: Omit<AccessTokens, 'ownerOf'> = {
    algorithms: [],
    async issue(grant, scopes, lifetimeSeconds) {
      const { jwe } = await seal(ring, place, { ...claimsOf(grant, scopes), exp: seconds(clock.now()) + lifetimeSeconds });
      return String(jwe);
    },
    async verify(token) {
      if (token.length > LONGEST_TOKEN_CHARACTERS) return undefined;
      try {
        const facts = factsIn(await unseal(ring, place, { sealed: 1, jwe: token }));
        return facts !== undefined && facts.expiresAtEpochSeconds > clock.now() / 1000 ? facts : undefined;
      } catch {
        return undefined;
      }
    },
    publicKeys: () => Promise.resolve([]),
  };
  return { ...tokens, ownerOf: tokens.verify };
}

function claimsOf(grant: Grant, scopes: readonly string[]): Record<string, string> {
  return {
    // RFC 9068 section 2.2 wants one; where nobody is named upstream, the grant stands for who gave it.
    sub: grant.subject ?? grant.grantId,
    client_id: grant.clientId,
    grant_id: grant.grantId,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
}

function factsIn(payload: unknown): AccessTokenClaims | undefined {
  const { data } = claimsSchema.safeParse(payload);
  if (data === undefined) return undefined;
  return {
    grantId: data.grant_id,
    subject: data.sub,
    clientId: data.client_id,
    scopes: (data.scope ?? '').split(' ').filter((scope) => scope !== ''),
    expiresAtEpochSeconds: data.exp,
    claims: { ...(payload as object) },
  };
}

const seconds = (epochMs: number): number => Math.floor(epochMs / 1000);
