import { describe, expect, it } from 'vitest';
import { type IntrospectionOptions, introspectionValidator } from '../../src/gateway/introspection-validator.ts';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { protect } from '../../src/gateway/protect.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import { staticTokenValidator } from '../../src/gateway/static-token-validator.ts';
import { problemsOf } from '../helpers/problems-of.ts';
import { scriptedValidator } from './protected-scene.ts';
import { PUBLIC } from './proxied-scene.ts';

const ISSUER = 'https://idp.example.com';
const INTROSPECTION: IntrospectionOptions = { endpoint: `${ISSUER}/introspect`, clientId: 'gateway', clientSecret: 'SECRET' };
const PROXY = { resource: PUBLIC, backend: 'http://127.0.0.1:3000/mcp' };
const PROTECTION = { resource: PUBLIC, validator: scriptedValidator, handler: () => new Response() };

/** Each part, made of options that are right and the changes to them. */
const PARTS: Readonly<Record<string, (changes: object) => unknown>> = {
  OidcTokenValidator: (changes) => new OidcTokenValidator({ issuer: ISSUER, ...changes }),
  introspectionValidator: (changes) => introspectionValidator({ ...INTROSPECTION, ...changes }),
  reverseProxy: (changes) => reverseProxy({ ...PROXY, ...changes }),
  protect: (changes) => protect({ ...PROTECTION, ...changes }),
};
const problemsOfPart = (part: string, changes: object): readonly string[] => problemsOf(() => PARTS[part]?.(changes));
const namesIn = (problems: readonly string[]): readonly (string | undefined)[] => problems.map((problem) => /`(\w+)`/.exec(problem)?.[1]);

describe.each(Object.keys(PARTS))('%s', (part) => {
  it('is made of options that are right (GWY-09)', () => {
    expect(problemsOfPart(part, {})).toEqual([]);
  });

  it('refuses an option that it does not have, which would have no effect (GWY-09)', () => {
    expect(problemsOfPart(part, { isuer: ISSUER, audiences: ['x'] })).toEqual(['`isuer` is no option.', '`audiences` is no option.']);
  });

  it('refuses a clock and a logger that cannot be used, before a request needs them (GWY-09)', () => {
    expect(problemsOfPart(part, { clock: { now: () => 0 }, logger: {} })).toEqual([
      '`logger` is not a function.',
      '`clock` lacks `sleep`.',
    ]);
    expect(problemsOfPart(part, { clock: null })).toEqual(['`clock` lacks `now`, `sleep`.']);
  });

  it.each([undefined, null, 7, 'x'])('refuses %j in place of options (GWY-09)', (options) => {
    const make: Readonly<Record<string, () => unknown>> = {
      OidcTokenValidator: () => new OidcTokenValidator(options as never),
      introspectionValidator: () => introspectionValidator(options as never),
      reverseProxy: () => reverseProxy(options as never),
      protect: () => protect(options as never),
    };
    expect(problemsOf(() => make[part]?.())).toEqual([expect.stringMatching(/^The options are missing/)]);
  });
});

describe('an option of another kind', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['OidcTokenValidator', { issuer: 7, audience: {}, algorithms: 'RS256', leewaySeconds: '30', types: 'JWT', jwksUrl: 7, fetch: {} }],
    ['OidcTokenValidator', { audience: null, algorithms: null, leewaySeconds: null, types: null, jwksUrl: null, fetch: null }],
    ['OidcTokenValidator', { algorithms: [Symbol('RS256')], types: [] }],
    ['OidcTokenValidator', { algorithms: ['HS256'] }],
    ['introspectionValidator', { clientId: null, authMethod: 7, audience: {}, issuer: 7, cacheSeconds: '5', cacheEntries: 0.5, fetch: 1 }],
    ['introspectionValidator', { endpoint: 7, clientSecret: null, audience: [''], issuer: '', cacheSeconds: null }],
    ['reverseProxy', { backendToken: 7, tokenInClear: 1, requestTimeoutMs: '5', sessionKey: 'x'.repeat(32), fetch: {} }],
  ])('of %s is told by its name, with all others, and is no TypeError: %# (GWY-09)', (part, changes) => {
    expect(namesIn(problemsOfPart(part, changes))).toEqual(Object.keys(changes));
  });
});

describe('an option that is there and undefined, as from a variable that is not set', () => {
  it.each([
    ['introspectionValidator', 'issuer'],
    ['reverseProxy', 'sessionKey'],
  ])('of %s is refused where it would switch a protection off: `%s` (GWY-09)', (part, name) => {
    expect(namesIn(problemsOfPart(part, { [name]: undefined }))).toEqual([name]);
  });

  it('is as if left out where its default is the stricter (GWY-09)', () => {
    expect(problemsOfPart('OidcTokenValidator', { audience: undefined, algorithms: undefined, leewaySeconds: undefined })).toEqual([]);
    expect(problemsOfPart('introspectionValidator', { audience: undefined, cacheSeconds: undefined, logger: undefined })).toEqual([]);
  });
});

describe('static tokens', () => {
  const GOOD = { token: 'SECRET-static-token-0123456789', subject: 'ci' };

  it.each<[string, unknown, string]>([
    ['nothing', null, 'Static token 2 is no object.'],
    ['a token by itself', 'SECRET-static-token-9876543210', 'Static token 2 is no object.'],
    ['a list', [GOOD], 'Static token 2 is no object.'],
    ['a name that is no option', { ...GOOD, scope: 'read' }, 'Static token 2: holds something else than'],
    ['a token as a name', { ...GOOD, 'SECRET-static-token-9876543210': 'ci' }, 'Static token 2: holds something else than'],
  ])('refuse %s, and quote nothing of it (GWY-09)', (_what, bad, said) => {
    const problems = problemsOf(() => staticTokenValidator([GOOD, bad] as never));
    expect(problems).toEqual([expect.stringContaining(said)]);
    expect(problems.join()).not.toContain('SECRET');
  });
});
