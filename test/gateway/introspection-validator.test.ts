import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type IntrospectionOptions, introspectionValidator } from '../../src/gateway/introspection-validator.ts';
import { isTokenRejected, isValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { json, localServer } from '../helpers/local-server.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { RESOURCE } from './token-issuer.ts';

const SECRET = 'SECRET-of:the gateway';

interface Asked {
  readonly authorization: string | undefined;
  readonly body: URLSearchParams;
}

/** An authorization server that says of every token what the test wants; what is given to the scene takes the place of the defaults. */
async function scene(options: Partial<IntrospectionOptions> = {}) {
  const clock = simulatedClock();
  const now = (): number => Math.floor(clock.now() / 1000);
  const asked: Asked[] = [];
  let answer: (response: ServerResponse, token: string) => void = (response, token) =>
    json(response, { active: true, sub: `user-of-${token}`, client_id: 'c', scope: 'read write', aud: RESOURCE, exp: now() + 300 });
  const { origin } = await localServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body = new URLSearchParams(text);
      asked.push({ authorization: request.headers.authorization, body });
      answer(response, body.get('token') ?? '');
    });
  });
  const validator = introspectionValidator({
    endpoint: `${origin}/introspect`,
    clientId: 'gate way',
    clientSecret: SECRET,
    clock,
    ...options,
  });
  const outcome = async (token = 'opaque', resource = RESOURCE): Promise<string> => {
    try {
      return `valid: ${(await validator.validate(token, { resource, signal: new AbortController().signal })).subject}`;
    } catch (thrown) {
      if (isTokenRejected(thrown)) return `rejected: ${thrown.message}`;
      if (isValidatorUnavailable(thrown)) return `unavailable for ${thrown.retryAfterSeconds} s`;
      throw thrown;
    }
  };
  const answering = (to: typeof answer): void => {
    answer = to;
  };
  return { clock, now, asked, validator, outcome, answering, says: (body: unknown) => answering((response) => json(response, body)) };
}

describe('an opaque token', () => {
  it('is asked about, with the credentials of the gateway (GWY-10)', async () => {
    const { validator, asked, now } = await scene();
    const validated = await validator.validate('opaque', { resource: RESOURCE, signal: new AbortController().signal });
    expect(validated).toMatchObject({ token: 'opaque', subject: 'user-of-opaque', clientId: 'c', scopes: ['read', 'write'] });
    expect(validated.expiresAtEpochSeconds).toBe(now() + 300);
    expect(asked[0]?.authorization).toBe(`Basic ${btoa('gate+way:SECRET-of%3Athe+gateway')}`);
    expect(Object.fromEntries(asked[0]?.body ?? [])).toEqual({ token: 'opaque', token_type_hint: 'access_token' });
  });

  it('is asked about with the credentials in the body, where it is configured so (GWY-10)', async () => {
    const { outcome, asked } = await scene({ authMethod: 'client_secret_post' });
    expect(await outcome()).toBe('valid: user-of-opaque');
    expect([asked[0]?.authorization, asked[0]?.body.get('client_id'), asked[0]?.body.get('client_secret')]).toEqual([
      undefined,
      'gate way',
      SECRET,
    ]);
  });

  const good = { active: true, sub: 'a', aud: RESOURCE };
  it.each<[string, (now: number) => Record<string, unknown>, Partial<IntrospectionOptions>]>([
    ['that is not active', () => ({ active: false }), {}],
    ['of another audience', () => ({ ...good, aud: ['https://other.example.com'] }), {}],
    ['without an audience', () => ({ ...good, aud: undefined }), {}],
    ['of the resource, where another audience is configured', () => good, { audience: 'api://x' }],
    ['that has expired, whatever the server says', (now) => ({ ...good, exp: now }), {}],
    ['whose expiry is text', (now) => ({ ...good, exp: String(now + 60) }), {}],
    ['that is not valid yet', (now) => ({ ...good, nbf: now + 31 }), {}],
    ['whose start is text', () => ({ ...good, nbf: 'now' }), {}],
    ['of another issuer', () => ({ ...good, iss: 'https://other.example.com' }), { issuer: 'https://idp.example.com' }],
    ['of no issuer, where one is configured', () => good, { issuer: 'https://idp.example.com' }],
    ['that is bound to a key', () => ({ ...good, cnf: { jkt: 'x' } }), {}],
    ['of the DPoP kind', () => ({ ...good, token_type: 'DPoP' }), {}],
    ['that is a refresh token, as Hydra says it', () => ({ ...good, token_use: 'refresh_token' }), {}],
    ['that is a refresh token, as OpenIddict says it', () => ({ ...good, token_usage: 'refresh_token' }), {}],
    ['that is a refresh token, as node-oidc-provider said it', () => ({ ...good, token_type: 'refresh_token' }), {}],
    ['that is a refresh token, as Keycloak says it', () => ({ ...good, typ: 'Refresh' }), {}],
    ['that is a refresh token for offline access, as Keycloak says it', () => ({ ...good, typ: 'Offline' }), {}],
    ['that is an ID token', () => ({ ...good, token_use: 'id_token' }), {}],
  ])('%s is refused (GWY-10)', async (_what, answer, options) => {
    const { outcome, says, now } = await scene(options);
    says(answer(now()));
    expect(await outcome()).toMatch(/^rejected: /);
  });

  it.each([
    { token_use: 'access_token', token_type: 'Bearer' },
    { token_usage: 'access_token' },
    { token_type: 'access_token' },
    { typ: 'Bearer', token_type: 'bearer' },
    { token_use: 7, typ: null },
  ])('is accepted where the server says what it is: %j (GWY-10)', async (kind) => {
    const { outcome, says } = await scene();
    says({ ...good, ...kind });
    expect(await outcome()).toBe('valid: a');
  });

  it('that has just been issued is accepted where the server’s clock is ahead, and ended no later for that (GWY-10)', async () => {
    const { outcome, says, now } = await scene();
    says({ ...good, nbf: now() + 30, exp: now() + 1 });
    expect(await outcome('first')).toBe('valid: a');
    says({ ...good, exp: now() });
    expect(await outcome('second')).toBe('rejected: It has expired.');
  });

  it('without an audience is accepted where the configuration says so (GWY-10)', async () => {
    const { outcome, says } = await scene({ audience: false });
    says({ active: true, sub: 'alice' });
    expect(await outcome()).toBe('valid: alice');
  });
});

describe('an introspection endpoint that does not answer as it should is an outage', () => {
  it.each<[string, (response: ServerResponse) => void, number | undefined]>([
    ['401: the credentials of the gateway are wrong', (response) => json(response, { error: 'invalid_client' }, 401), undefined],
    ['500', (response) => json(response, {}, 500), undefined],
    ['429 that says when to come back', (response) => json(response, {}, 429, { 'retry-after': '42' }), 42],
    ['no JSON', (response) => json(response, '<html>'), undefined],
    ['a list', (response) => json(response, []), undefined],
    ['`active` as text', (response) => json(response, { active: 'true', aud: RESOURCE }), undefined],
    ['1 MB', (response) => json(response, { active: true, filler: 'x'.repeat(1_000_000) }), undefined],
    ['a cut connection', (response) => response.destroy(), undefined],
  ])('%s (GWY-09, GWY-10)', async (_what, answer, seconds) => {
    const { outcome, answering } = await scene();
    answering(answer);
    expect(await outcome()).toBe(`unavailable for ${seconds} s`);
  });

  it.each([301, 302, 303, 307, 308])('a redirect with %i, which gets neither token nor secret (GWY-09, GWY-10)', async (status) => {
    const elsewhere = await localServer((_request, response) => json(response, { active: true, sub: 'mallory', aud: RESOURCE }));
    const { outcome, answering, asked } = await scene();
    answering((response) => response.writeHead(status, { location: `${elsewhere.origin}/introspect` }).end());
    expect(await outcome()).toBe('unavailable for undefined s');
    expect([asked.length, elsewhere.requests]).toEqual([1, []]);
  });
});

describe('what the endpoint said is remembered', () => {
  it('for 15 s, for that token and that resource (GWY-10)', async () => {
    const { outcome, asked, clock } = await scene();
    for (let n = 0; n < 3; n += 1) expect(await outcome('a')).toBe('valid: user-of-a');
    expect(await outcome('b')).toBe('valid: user-of-b');
    expect(await outcome('a', 'https://other.example.com')).toBe('rejected: It is for another audience.');
    expect(asked).toHaveLength(3);
    await clock.advance(14_999);
    await outcome('a');
    expect(asked).toHaveLength(3);
    await clock.advance(1);
    await outcome('a');
    expect(asked).toHaveLength(4);
  });

  it('never beyond the end of the token, nor when the clock was set back (GWY-10)', async () => {
    const { outcome, says, now, clock } = await scene({ cacheSeconds: 60 });
    says({ active: true, sub: 'alice', aud: RESOURCE, exp: now() + 5 });
    expect(await outcome()).toBe('valid: alice');
    await clock.advance(5_000);
    says({ active: false });
    expect(await outcome()).toMatch(/^rejected/);
    says({ active: true, sub: 'alice', aud: RESOURCE });
    expect(await outcome('x')).toBe('valid: alice');
    says({ active: false });
    clock.jumpTo(clock.now() - 3_600_000);
    expect(await outcome('x')).toMatch(/^rejected/);
  });

  it('not where it was no, nor at all with 0 s (GWY-10)', async () => {
    const once = await scene({ cacheSeconds: 0 });
    await once.outcome();
    await once.outcome();
    expect(once.asked).toHaveLength(2);
    const refusing = await scene();
    refusing.says({ active: false });
    await refusing.outcome();
    refusing.says({ active: true, sub: 'alice', aud: RESOURCE });
    expect(await refusing.outcome()).toBe('valid: alice');
  });

  it('of so many tokens at most, the oldest is forgotten first (GWY-10)', async () => {
    const { outcome, asked } = await scene({ cacheEntries: 3 });
    for (const token of ['a', 'b', 'c', 'd', 'd', 'c', 'b']) await outcome(token);
    expect(asked.map(({ body }) => body.get('token'))).toEqual(['a', 'b', 'c', 'd']);
    await outcome('a');
    expect(asked).toHaveLength(5);
  });
});

it('mistakes in the configuration are all told at once, the secret is not (GWY-10)', () => {
  const options = {
    endpoint: 'http://idp.example.com/introspect',
    clientId: '',
    clientSecret: 7,
    authMethod: SECRET,
    audience: [],
    cacheSeconds: 61,
    cacheEntries: 0,
  };
  try {
    introspectionValidator(options as never);
    expect.unreachable();
  } catch (thrown) {
    const { message, failure } = thrown as { message: string; failure: { details: { problems: string[] } } };
    const names = failure.details.problems.map((problem) => /`(\w+)`/.exec(problem)?.[1]);
    expect(names).toEqual(['endpoint', 'clientId', 'clientSecret', 'authMethod', 'audience', 'cacheSeconds', 'cacheEntries']);
    expect(message).not.toContain('SECRET');
  }
});
