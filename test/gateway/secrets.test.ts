import { describe, expect, it } from 'vitest';
import { anyOf } from '../../src/gateway/any-of.ts';
import { introspectionValidator } from '../../src/gateway/introspection-validator.ts';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { protect } from '../../src/gateway/protect.ts';
import { staticTokenValidator } from '../../src/gateway/static-token-validator.ts';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import type { LogRecord } from '../../src/options.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { json, localServer } from '../helpers/local-server.ts';
import { requestWith } from './protected-scene.ts';
import { RESOURCE, tokenIssuer } from './token-issuer.ts';

/** Everything that a request leaves behind: log, console, and the answer with its headers. */
async function traces(validator: TokenValidator, token: string, logged: unknown[] = []): Promise<{ status: number; text: string }> {
  const records: LogRecord[] = [];
  const printed = caughtConsole();
  const handle = protect({
    resource: RESOURCE,
    validator,
    createClient: ({ token: { token: backendToken } }) => {
      if (backendToken.includes('no-client')) throw new Error(`cannot connect with ${backendToken}`);
      return { close: () => Promise.reject(new Error(`cannot close ${backendToken}`)) };
    },
    handler: () => {
      throw new Error(`the handler met ${token}`);
    },
    logger: (record) => records.push(record),
  });
  const response = await handle(requestWith(`Bearer ${token}`));
  const body = await response.text();
  await new Promise((resolve) => setImmediate(resolve));
  return { status: response.status, text: JSON.stringify([records, logged, printed, [...response.headers], body]) };
}

/** Any part of the token that is long enough to be of use, encoded or not. */
function leaks(text: string, secret: string): readonly string[] {
  const parts = [secret, ...secret.split('.')].filter((part) => part.length > 8);
  return parts.flatMap((part) => [part, encodeURIComponent(part), btoa(part)]).filter((part) => text.includes(part));
}

const MARKED = 'SECRET-marked-token-0123456789';

describe('a token leaves no trace in log and answer', () => {
  const quoting = (make: (token: string) => unknown, where: 'validate' | 'exchange' = 'validate'): TokenValidator => ({
    validate: (token) => (where === 'validate' ? Promise.reject(make(token)) : Promise.resolve({ token, scopes: [], claims: { token } })),
    exchange: ({ token }) => Promise.reject(make(token)),
  });
  it.each<[string, TokenValidator, number]>([
    ['a refusal that quotes it', quoting((token) => new TokenRejected(`No such token: ${token}`)), 401],
    ['an outage that quotes it', quoting((token) => new ValidatorUnavailable(`Not reached for ${encodeURIComponent(token)}`)), 503],
    ['an error that quotes it', quoting((token) => new Error(token, { cause: token })), 401],
    ['an error that is called like it', quoting((token) => Object.assign(new Error(token), { name: token, code: token })), 401],
    ['the token thrown', quoting((token) => token), 401],
    ['an exchange that quotes it', quoting((token) => new TokenRejected(token), 'exchange'), 401],
    ['an exchange that fails with it', quoting((token) => new Error(token), 'exchange'), 503],
    ['a handler and a close that quote it', { validate: async (token) => ({ token, scopes: [], claims: { token } }) }, 500],
    [
      'a client that cannot be made',
      { validate: async (token) => ({ token, scopes: [], claims: {} }), exchange: async () => ({ token: `no-client-${MARKED}` }) },
      502,
    ],
    ['an unknown static token', staticTokenValidator([{ token: 'SECRET-static-0123456789', subject: 'ci' }]), 401],
  ])('%s (GWY-09, SEC-01)', async (_what, validator, status) => {
    const left = await traces(validator, MARKED);
    expect([left.status, leaks(left.text, MARKED), left.text.includes('SECRET-static')]).toEqual([status, [], false]);
  });

  it('of an issuer, good, expired, forged, or while it is down (GWY-10, SEC-01)', async () => {
    const idp = await tokenIssuer();
    const logged: LogRecord[] = [];
    const validator = new OidcTokenValidator({ issuer: idp.issuer, logger: (record) => logged.push(record) });
    idp.spoil('/jwks', (response) => json(response, { error: 'down' }, 503));
    const good = await idp.token();
    const statuses: number[] = [];
    for (const token of [good, await idp.token({ exp: 1 }), `${good.slice(0, -8)}AAAAAAAA`]) {
      const left = await traces(anyOf([validator]), token, logged);
      statuses.push(left.status);
      expect(leaks(left.text, token)).toEqual([]);
    }
    expect(statuses).toEqual([503, 401, 503]);
    expect(logged.length).toBeGreaterThan(1);
  });

  it('that an introspection endpoint repeats, nor does the secret of the gateway (GWY-10, SEC-01)', async () => {
    const CLIENT_SECRET = 'SECRET-of-the-gateway';
    let status = 500;
    const { origin } = await localServer((_request, response) =>
      json(response, { active: false, token: MARKED, secret: CLIENT_SECRET }, status, { 'x-token': MARKED }),
    );
    const logged: LogRecord[] = [];
    const validator = introspectionValidator({
      endpoint: `${origin}/introspect`,
      clientId: 'gateway',
      clientSecret: CLIENT_SECRET,
      logger: (record) => logged.push(record),
    });
    for (const [answer, expected] of [
      [500, 503],
      [401, 503],
      [200, 401],
    ] as const) {
      status = answer;
      const left = await traces(validator, MARKED, logged);
      expect([left.status, leaks(left.text, MARKED), leaks(left.text, CLIENT_SECRET)]).toEqual([expected, [], []]);
    }
    expect(logged).toHaveLength(3);
  });
});
