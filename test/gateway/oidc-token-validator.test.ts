import { createHmac } from 'node:crypto';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { context, oidcScene } from './oidc-scene.ts';
import { forged, RESOURCE, type TokenIssuer } from './token-issuer.ts';

describe('a good token', () => {
  it.each(['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA'])(
    'signed with %s says who calls, for which client, with which scopes (GWY-10)',
    async (alg) => {
      const { idp, validator, now } = await oidcScene({ alg });
      const token = await idp.token();
      expect(await validator.validate(token, context)).toEqual({
        token,
        subject: 'alice',
        clientId: 'client-1',
        scopes: ['read', 'write'],
        expiresAtEpochSeconds: now() + 300,
        claims: expect.objectContaining({ sub: 'alice', iss: idp.issuer }),
      });
    },
  );

  it.each([
    ['`scp` as text, as Entra has it', { scope: undefined, scp: 'read write' }, ['read', 'write']],
    ['`scp` as a list, as Okta has it', { scope: undefined, scp: ['read', 7, 'write'] }, ['read', 'write']],
    ['no scope', { scope: undefined }, []],
    ['a scope that is an object', { scope: { read: true } }, []],
  ])('with %s (GWY-10)', async (_what, claims, scopes) => {
    const { idp, validator } = await oidcScene();
    expect((await validator.validate(await idp.token(claims), context)).scopes).toEqual(scopes);
  });

  it('may name several audiences, one of them the resource (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene();
    expect(await outcome(await idp.token({ aud: ['https://other.example.com', RESOURCE] }))).toBe('valid');
  });

  it('may be for another audience where that is configured, and then for no other (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene({ audience: ['api://weather'] });
    expect(await outcome(await idp.token({ aud: 'api://weather' }))).toBe('valid');
    expect(await outcome(await idp.token())).toBe('rejected: It is for another audience.');
  });

  it('of a resource without a path may have the slash that URL libraries add (GWY-10)', async () => {
    const { idp, validator } = await oidcScene();
    const rootContext = { ...context, resource: 'https://mcp.example.com' };
    for (const aud of ['https://mcp.example.com', 'https://mcp.example.com/']) {
      expect((await validator.validate(await idp.token({ aud }), rootContext)).subject).toBe('alice');
    }
  });

  it('is accepted as long as the clocks may differ, and no longer (GWY-10)', async () => {
    const { idp, outcome, now } = await oidcScene({ leewaySeconds: 10 });
    expect(await outcome(await idp.token({ exp: now() - 9 }))).toBe('valid');
    expect(await outcome(await idp.token({ exp: now() - 10 }))).toBe('rejected: It has expired.');
    expect(await outcome(await idp.token({ nbf: now() + 10 }))).toBe('valid');
    expect(await outcome(await idp.token({ nbf: now() + 11 }))).toBe('rejected: It is not valid yet.');
  });
});

describe('a token that cannot be good is refused without a request', () => {
  const cases: Record<string, (idp: TokenIssuer, now: number) => string | Promise<string>> = {
    empty: () => '',
    'no JWT': () => 'opaque-token',
    'two parts': () => 'a.b',
    'a header that is no JSON': () => forged('{', {}),
    'a header that is an array': () => forged([], {}),
    'a payload that is no JSON': () => forged({ alg: 'ES256', typ: 'at+jwt' }, '{'),
    'a payload that is text': () => forged({ alg: 'ES256', typ: 'at+jwt' }, '"x"'),
    'a JWE': () => 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d',
    'alg none': (idp, now) => forged({ alg: 'none', typ: 'at+jwt' }, { iss: idp.issuer, aud: RESOURCE, exp: now + 300 }, ''),
    'alg nOnE': (idp, now) => forged({ alg: 'nOnE', typ: 'at+jwt' }, { iss: idp.issuer, aud: RESOURCE, exp: now + 300 }, ''),
    'no alg': (idp, now) => forged({ typ: 'at+jwt' }, { iss: idp.issuer, aud: RESOURCE, exp: now + 300 }),
    'alg that is no text': (idp, now) => forged({ alg: ['ES256'], typ: 'at+jwt' }, { iss: idp.issuer, aud: RESOURCE, exp: now + 300 }),
    'another issuer': (idp) => idp.token({ iss: 'https://evil.example.com' }),
    'an issuer that differs by a slash': (idp) => idp.token({ iss: `${idp.issuer}/` }),
    'no issuer': (idp) => idp.token({ iss: undefined }),
    'another audience': (idp) => idp.token({ aud: 'https://mcp.example.com/mcp2' }),
    'an audience that only begins alike': (idp) => idp.token({ aud: 'https://mcp.example.com' }),
    'no audience': (idp) => idp.token({ aud: undefined }),
    'no expiry': (idp) => idp.token({ exp: undefined }),
    'an expiry that is text': (idp) => idp.token({ exp: '9999999999' as unknown as number }),
    expired: (idp, now) => idp.token({ exp: now - 31 }),
    'not valid yet': (idp, now) => idp.token({ nbf: now + 31 }),
    'a start that is text': (idp) => idp.token({ nbf: 'now' as unknown as number }),
    'a logout token by its type': (idp) => idp.token({}, { typ: 'logout+jwt' }),
    'a type that is no text': (idp) => idp.token({}, { typ: 7 }),
    'an ID token': (idp) => idp.token({ at_hash: 'x' }, { typ: 'JWT' }),
    'an extension that has to be understood': (idp, now) =>
      forged({ alg: 'ES256', typ: 'at+jwt', crit: ['policy'], policy: 1 }, { iss: idp.issuer, aud: RESOURCE, exp: now + 300 }),
    'an extension that changes what is signed': (idp) => idp.token({}, { crit: ['b64'], b64: true }),
    'bound to a key (DPoP)': (idp) => idp.token({ cnf: { jkt: 'thumbprint' } }),
  };

  it.each(Object.keys(cases))('%s (GWY-10)', async (name) => {
    const { idp, outcome, now } = await oidcScene();
    expect(await outcome((await cases[name]?.(idp, now())) ?? '')).toMatch(/^rejected: /);
    expect(idp.requests).toEqual([]);
  });

  it('HS256 with the public key as the secret, in every form it is published in (GWY-10)', async () => {
    const { idp, outcome, now } = await oidcScene({ alg: 'RS256' });
    const jwk = await idp.publicJwk();
    const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as Parameters<typeof exportSPKI>[0]);
    for (const secret of [JSON.stringify(jwk), String(jwk['n']), pem, `${pem}\n`]) {
      const unsigned = forged(
        { alg: 'HS256', typ: 'at+jwt', kid: 'key-1' },
        { iss: idp.issuer, aud: RESOURCE, exp: now() + 300 },
        '',
      ).slice(0, -1);
      const signature = createHmac('sha256', secret).update(unsigned).digest('base64url');
      expect(await outcome(`${unsigned}.${signature}`)).toBe('rejected: Its algorithm is not accepted.');
    }
    expect(idp.requests).toEqual([]);
  });
});

describe('a token whose signature is not what it should be', () => {
  it('is refused: another key under the same name (GWY-10)', async () => {
    const { idp, outcome, now } = await oidcScene();
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ iss: idp.issuer, aud: RESOURCE, exp: now() + 300 })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1', typ: 'at+jwt' })
      .sign(privateKey);
    expect(await outcome(token)).toBe('rejected: Its signature is wrong.');
  });

  it('is refused: claims that were changed (GWY-10)', async () => {
    const { idp, outcome, now } = await oidcScene();
    const [header = '', , signature = ''] = (await idp.token()).split('.');
    const claims = Buffer.from(JSON.stringify({ iss: idp.issuer, aud: RESOURCE, exp: now() + 300, sub: 'bob' })).toString('base64url');
    expect(await outcome(`${header}.${claims}.${signature}`)).toBe('rejected: Its signature is wrong.');
  });

  it('is refused: a key that the token brings along (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene();
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const payload = Buffer.from((await idp.token()).split('.')[1] ?? '', 'base64url');
    const token = await new CompactSign(payload)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk, jku: 'https://evil.example.com/jwks', kid: 'key-1' })
      .sign(privateKey);
    expect(await outcome(token)).toBe('rejected: Its signature is wrong.');
  });
});

describe('mistakes in the configuration', () => {
  it('are all told at once (GWY-10)', () => {
    const options = {
      issuer: 'http://idp.example.com',
      algorithms: ['HS256', 'none'],
      leewaySeconds: 301,
      audience: [],
      jwksUrl: 'file:///keys',
      types: [],
    };
    const problems = ['issuer', 'audience', 'algorithms', 'leewaySeconds', 'types', 'jwksUrl'];
    expect(() => new OidcTokenValidator(options)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }));
    try {
      new OidcTokenValidator(options);
    } catch (thrown) {
      const told = (thrown as { failure: { details: { problems: string[] } } }).failure.details.problems;
      expect(told.map((problem) => /`(\w+)`/.exec(problem)?.[1])).toEqual(problems);
    }
  });
});
