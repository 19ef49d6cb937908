import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { anyOf } from '../../src/gateway/any-of.ts';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { type StaticToken, staticTokenValidator } from '../../src/gateway/static-token-validator.ts';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { protectedScene, requestWith } from './protected-scene.ts';
import { RESOURCE, tokenIssuer } from './token-issuer.ts';

const context = { resource: RESOURCE, signal: new AbortController().signal };
const TOKEN = 'SECRET-static-token-0123456789';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a static token', () => {
  it.each<[string, StaticToken]>([
    ['given as it is', { token: TOKEN, subject: 'ci', scopes: ['read'] }],
    ['given as its digest', { sha256: sha256(TOKEN), subject: 'ci', scopes: ['read'] }],
    ['given as its digest in upper case', { sha256: sha256(TOKEN).toUpperCase(), subject: 'ci', scopes: ['read'] }],
  ])('%s lets in who has it, and nobody else (GWY-09)', async (_what, known) => {
    const validator = staticTokenValidator([{ token: 'another-token-0123456789', subject: 'other' }, known]);
    expect(await validator.validate(TOKEN, context)).toEqual({ token: TOKEN, subject: 'ci', scopes: ['read'], claims: { sub: 'ci' } });
    for (const wrong of [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toLowerCase(), '', sha256(TOKEN)]) {
      await expect(validator.validate(wrong, context)).rejects.toBeInstanceOf(TokenRejected);
    }
  });

  it('that cannot be right is refused at the start, all at once, and is not quoted (GWY-09)', () => {
    const bad: unknown[] = [
      { token: 'SECRET-short', subject: 'a' },
      { token: 'SECRET with spaces 0123456789', subject: 'a' },
      { subject: 'a' },
      { token: TOKEN, sha256: sha256(TOKEN), subject: 'a' },
      { sha256: 'SECRET', subject: 'a' },
      { token: TOKEN, subject: '' },
      { token: TOKEN, subject: 'a', scopes: ['a b'] },
    ];
    try {
      staticTokenValidator(bad as StaticToken[]);
      expect.unreachable();
    } catch (thrown) {
      const { message, failure } = thrown as { message: string; failure: { details: { problems: string[] } } };
      expect(failure.details.problems.map((problem) => problem.slice(0, 14))).toEqual(bad.map((_, index) => `Static token ${index + 1}`));
      expect(message).not.toContain('SECRET');
    }
    expect(() => staticTokenValidator([])).toThrow('missing or empty');
  });
});

describe('several validators on one endpoint', () => {
  const accepts = (prefix: string, exchange?: TokenValidator['exchange']): TokenValidator => ({
    validate: async (token) => {
      if (!token.startsWith(prefix)) throw new TokenRejected();
      return { token, subject: prefix, scopes: [], claims: {} };
    },
    ...(exchange !== undefined && { exchange }),
  });
  const down: TokenValidator = { validate: () => Promise.reject(new ValidatorUnavailable('down', { retryAfterSeconds: 40 })) };
  const broken: TokenValidator = { validate: () => Promise.reject(new TypeError('x')) };
  const statusOf = async (validator: TokenValidator, token: string): Promise<number> =>
    (await protectedScene({ validator }).handle(requestWith(`Bearer ${token}`))).status;

  it('let in people with a login and machines with a static token (GWY-09)', async () => {
    const idp = await tokenIssuer();
    const validator = anyOf([new OidcTokenValidator({ issuer: idp.issuer }), staticTokenValidator([{ token: TOKEN, subject: 'ci' }])]);
    expect((await validator.validate(await idp.token(), context)).subject).toBe('alice');
    expect((await validator.validate(TOKEN, context)).subject).toBe('ci');
    // An opaque token is none of the issuer's, whether it can be reached or not.
    expect([await statusOf(validator, 'opaque'), idp.asked('/jwks')]).toEqual([401, 1]);
  });

  it('refuse what none accepts, and are down only for what one might have accepted (GWY-09)', async () => {
    expect(await statusOf(anyOf([accepts('a'), broken]), 'b')).toBe(401);
    expect(await statusOf(anyOf([down, accepts('a')]), 'a')).toBe(200);
    expect(await statusOf(anyOf([accepts('a'), down]), 'a')).toBe(200);
    expect(await statusOf(anyOf([accepts('a'), down]), 'b')).toBe(503);
    expect(await statusOf(anyOf([{ validate: async () => undefined as never }, accepts('a')]), 'b')).toBe(401);
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['no claims', { scopes: [] }],
    ['no scopes', { claims: {} }],
    ['scopes as text', { scopes: 'read', claims: {} }],
  ])('take half an answer, with %s, for a no: it lets nobody in, and the next is asked (GWY-09)', async (_what, half) => {
    const sloppy: TokenValidator = { validate: async (token) => ({ token, ...half }) as never };
    expect(await statusOf(sloppy, 'a')).toBe(401);
    expect(await statusOf(anyOf([sloppy]), 'a')).toBe(401);
    expect(await statusOf(anyOf([sloppy, accepts('a')]), 'a')).toBe(200);
  });

  it('exchange a token by the one that accepted it, under any concurrency (GWY-09, GWY-11)', async () => {
    const shared = { scopes: [], claims: {} };
    const sharing = (name: string): TokenValidator => ({
      // One object for all, as a sloppy validator has it.
      validate: async (token) => {
        if (!token.startsWith(name)) throw new TokenRejected();
        return Object.assign(shared, { token });
      },
      exchange: async ({ token }) => ({ token: `${name}-for-${token}` }),
    });
    const validator = anyOf([sharing('a'), sharing('b'), accepts('c')]);
    const { handle } = protectedScene({ validator });
    const texts = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const token = `${'abc'[n % 3]}${n}`;
        return [token, await (await handle(requestWith(`Bearer ${token}`))).text()] as const;
      }),
    );
    for (const [token, text] of texts) {
      const backend = token.startsWith('c') ? token : `${token[0]}-for-${token}`;
      expect(text.endsWith(` by ${backend}`)).toBe(true);
    }
  });

  it('have to be validators, and at least one (GWY-09)', () => {
    expect(() => anyOf([])).toThrow('list of token validators');
    expect(() => anyOf([{} as TokenValidator])).toThrow('list of token validators');
  });
});
