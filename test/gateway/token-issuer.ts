/** An issuer of JWT access tokens with real keys, on a real local port, whose every answer tests can spoil. */
import type { ServerResponse } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { json, type LocalServer, localServer } from '../helpers/local-server.ts';

export const RESOURCE = 'https://mcp.example.com/mcp';

export interface TokenIssuer {
  readonly issuer: string;
  readonly requests: LocalServer['requests'];
  /** Requests for this path. */
  asked(path: string): number;
  /** How the issuer answers a path instead of properly; `undefined` mends it. */
  spoil(path: '/jwks' | '/.well-known/openid-configuration', answer: ((response: ServerResponse) => void) | undefined): void;
  /** Another key takes the place of the last one. */
  rotate(options?: { readonly keepOld?: boolean }): Promise<void>;
  /** A token that is good; what is given takes the place of what it has. */
  token(claims?: { readonly [name: string]: unknown }, header?: { readonly [name: string]: unknown }): Promise<string>;
  publicJwk(): Promise<Record<string, unknown>>;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export async function tokenIssuer({
  alg = 'ES256',
  nowEpochMs = () => Date.now(),
}: {
  readonly alg?: string;
  readonly nowEpochMs?: () => number;
} = {}): Promise<TokenIssuer> {
  const spoilt = new Map<string, (response: ServerResponse) => void>();
  let made = 0;
  const makeKey = async (): Promise<SigningKey> => {
    made += 1;
    return { kid: `key-${made}`, ...(await generateKeyPair(alg, { extractable: true })) };
  };
  let keys = [await makeKey()];
  const jwkOf = async ({ kid, publicKey }: SigningKey) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
  const current = (): SigningKey => keys[0] as SigningKey;

  const server = await localServer((request, response, origin) => {
    const path = request.url ?? '';
    const instead = spoilt.get(path);
    if (instead !== undefined) instead(response);
    else if (path === '/.well-known/openid-configuration') json(response, { issuer: origin, jwks_uri: `${origin}/jwks` });
    else if (path === '/jwks') void Promise.all(keys.map(jwkOf)).then((published) => json(response, { keys: published }));
    else json(response, { error: 'not_found' }, 404);
  });

  return {
    issuer: server.origin,
    requests: server.requests,
    asked: (path) => server.requests.filter(({ target }) => target === path).length,
    spoil(path, answer) {
      if (answer === undefined) spoilt.delete(path);
      else spoilt.set(path, answer);
    },
    async rotate({ keepOld = false } = {}) {
      const next = await makeKey();
      keys = keepOld ? [next, ...keys] : [next];
    },
    token(claims = {}, header = {}) {
      const now = Math.floor(nowEpochMs() / 1000);
      const payload = {
        iss: server.origin,
        aud: RESOURCE,
        sub: 'alice',
        client_id: 'client-1',
        scope: 'read write',
        exp: now + 300,
        iat: now,
      };
      return new SignJWT({ ...payload, ...claims })
        .setProtectedHeader({ alg, kid: current().kid, typ: 'at+jwt', ...header })
        .sign(current().privateKey);
    },
    publicJwk: () => jwkOf(current()),
  };
}

/** A JWT of any header and claims, with any text as its signature. */
export function forged(header: unknown, claims: unknown, signature = 'c2lnbmF0dXJl'): string {
  const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
