import type { ServerResponse } from 'node:http';
import { CompactSign, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { json, localServer } from '../helpers/local-server.ts';
import { context, oidcScene } from './oidc-scene.ts';
import { tokenIssuer } from './token-issuer.ts';

const META = '/.well-known/openid-configuration';

describe('keys', () => {
  it('are found by discovery, once for any number of tokens at once (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene();
    const tokens = await Promise.all(Array.from({ length: 30 }, (_, n) => idp.token({ sub: `user-${n}` })));
    expect(new Set(await Promise.all(tokens.map(outcome)))).toEqual(new Set(['valid']));
    expect([idp.asked(META), idp.asked('/jwks')]).toEqual([1, 1]);
  });

  it('are taken from where the configuration says, without discovery (GWY-10)', async () => {
    const idp = await tokenIssuer();
    const validator = new OidcTokenValidator({ issuer: idp.issuer, jwksUrl: `${idp.issuer}/jwks` });
    expect((await validator.validate(await idp.token(), context)).subject).toBe('alice');
    expect(idp.requests.map(({ target }) => target)).toEqual(['/jwks']);
  });

  it('that are new are looked for when a token names one, after the cool-down (GWY-10)', async () => {
    const { clock, idp, outcome } = await oidcScene();
    expect(await outcome(await idp.token())).toBe('valid');
    await idp.rotate();
    const token = await idp.token();
    expect(await outcome(token)).toBe('rejected: The issuer has no such key.');
    await clock.advance(30_000);
    expect(await outcome(token)).toBe('valid');
    expect(idp.asked('/jwks')).toBe(2);
  });

  it('that never were make one request in 30 s, however many tokens name them (GWY-10)', async () => {
    const { clock, idp, outcome } = await oidcScene();
    expect(await outcome(await idp.token())).toBe('valid');
    await clock.advance(30_000);
    const strangers = await Promise.all(Array.from({ length: 20 }, (_, n) => idp.token({}, { kid: `stranger-${n}` })));
    const outcomes = await Promise.all(strangers.map(outcome));
    expect(new Set(outcomes)).toEqual(new Set(['rejected: The issuer has no such key.']));
    expect(idp.asked('/jwks')).toBe(2);
  });

  it('that were withdrawn are good for ten minutes at most while the issuer answers (GWY-10)', async () => {
    const { clock, idp, outcome } = await oidcScene();
    const token = await idp.token({ exp: Math.floor(clock.now() / 1000) + 7200 });
    expect(await outcome(token)).toBe('valid');
    await idp.rotate();
    await clock.advance(600_000);
    // The old keys serve while the new ones are fetched.
    expect(await outcome(token)).toBe('valid');
    await expect.poll(() => idp.asked('/jwks')).toBe(2);
    await expect.poll(() => outcome(token)).toBe('rejected: The issuer has no such key.');
  });

  it('serve for an hour while the issuer is down, and then no longer (GWY-10)', async () => {
    const { clock, idp, outcome } = await oidcScene();
    const token = await idp.token({ exp: Math.floor(clock.now() / 1000) + 7200 });
    expect(await outcome(token)).toBe('valid');
    idp.spoil(META, (response) => json(response, {}, 500));
    await clock.advance(3_599_000);
    expect(await outcome(token)).toBe('valid');
    await clock.advance(60_000);
    expect(await outcome(token)).toMatch(/^unavailable/);
  });

  it('without names are all tried, and a token without a name is still verified (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene();
    await idp.rotate({ keepOld: true });
    await idp.rotate({ keepOld: true });
    expect(await outcome(await idp.token({}, { kid: undefined }))).toBe('valid');
    const { privateKey } = await generateKeyPair('ES256');
    const payload = Buffer.from((await idp.token()).split('.')[1] ?? '', 'base64url');
    const stranger = await new CompactSign(payload).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey);
    expect(await outcome(stranger)).toBe('rejected: Its signature is wrong.');
  });
});

describe('an issuer that is down or lies is an outage, and no fault of the token', () => {
  const big = JSON.stringify({ keys: [], filler: 'x'.repeat(300_000) });
  it.each<[string, '/jwks' | typeof META, (response: ServerResponse) => void]>([
    ['metadata with 500', META, (response) => json(response, {}, 500)],
    ['metadata that is not there', META, (response) => json(response, {}, 404)],
    [
      'metadata of another issuer',
      META,
      (response) => json(response, { issuer: 'https://evil.example.com', jwks_uri: `http://${response.req.headers.host}/jwks` }),
    ],
    ['metadata that is no JSON', META, (response) => json(response, '<html>')],
    [
      'keys in the clear elsewhere',
      META,
      (response) => json(response, { issuer: `http://${response.req.headers.host}`, jwks_uri: 'http://keys.example.com/jwks' }),
    ],
    ['keys with 503', '/jwks', (response) => json(response, {}, 503)],
    ['keys that are no JSON', '/jwks', (response) => json(response, 'keys')],
    ['keys that are no list', '/jwks', (response) => json(response, { keys: {} })],
    ['keys of 300 kB', '/jwks', (response) => json(response, big)],
    ['a connection that is cut', '/jwks', (response) => response.destroy()],
  ])('%s (GWY-09, GWY-10)', async (_what, path, answer) => {
    const { clock, idp, outcome } = await oidcScene();
    idp.spoil(path, answer);
    const token = await idp.token();
    expect(await outcome(token)).toBe('unavailable for 30 s');
    const asked = idp.requests.length;
    // A failing issuer is left alone for a while, and what needs no key is still refused.
    await clock.advance(10_000);
    expect(await outcome(token)).toBe('unavailable for 20 s');
    expect(await outcome(await idp.token({ aud: 'other' }))).toBe('rejected: It is for another audience.');
    expect(idp.requests).toHaveLength(asked);
    idp.spoil(path, undefined);
    await clock.advance(20_000);
    expect(await outcome(token)).toBe('valid');
  });

  it.each(['/jwks', META] as const)('%s that is on another origin by redirect, where nobody looks (GWY-09, GWY-10)', async (path) => {
    const { idp, outcome } = await oidcScene();
    const right: unknown = await (await fetch(`${idp.issuer}${path}`)).json();
    const elsewhere = await localServer((_request, response) => json(response, right));
    idp.spoil(path, (response) => response.writeHead(302, { location: `${elsewhere.origin}${path}` }).end());
    expect(await outcome(await idp.token())).toBe('unavailable for 30 s');
    expect(elsewhere.requests).toEqual([]);
  });

  it('while its keys are known, only tokens of unknown keys suffer (GWY-10)', async () => {
    const { clock, idp, outcome } = await oidcScene();
    const known = await idp.token();
    expect(await outcome(known)).toBe('valid');
    idp.spoil('/jwks', (response) => json(response, {}, 500));
    await clock.advance(31_000);
    expect(await outcome(await idp.token({}, { kid: 'new' }))).toBe('unavailable for 30 s');
    expect(await outcome(known)).toBe('valid');
  });

  it('keys that a symmetric algorithm would take are never used (GWY-10)', async () => {
    const { idp, outcome } = await oidcScene();
    idp.spoil('/jwks', (response) => json(response, { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'key-1' }] }));
    expect(await outcome(await idp.token())).toBe('rejected: The issuer has no such key.');
  });
});
