import { describe, expect, it } from 'vitest';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';

const idToken = (claims: object): string => {
  const part = (value: object): string => btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return `${part({ alg: 'ES256' })}.${part(claims)}.${part({})}`;
};

/** Sign-in at an identity provider that answers with this ID token. */
async function landed(scene: ScriptedGateway, claims: (nonce: string) => object | undefined, scope = 'read'): Promise<URL> {
  const browser = scene.browser();
  const { upstream } = await scene.leave(browser, { scope });
  const own = claims(upstream.searchParams.get('nonce') ?? '');
  const exp = Math.floor(scene.clock.now() / 1000) + 60;
  const token = own && idToken({ iss: IDENTITY_PROVIDER, aud: 'gateway', sub: 'ada', exp, ...own });
  scene.provider.answer = () =>
    Response.json({ access_token: 'a', refresh_token: 'r', token_type: 'Bearer', ...(token && { id_token: token }) });
  return (await browser.open(callbackUrl(upstream))).url;
}

const upstream = (scopes: readonly string[]) => ({ issuer: IDENTITY_PROVIDER, clientId: 'gateway', clientSecret: 's', scopes });

describe('an identity provider', () => {
  it.each<[string, (nonce: string) => object | undefined]>([
    ['has another nonce', () => ({ nonce: 'another' })],
    ['has no nonce', () => ({})],
    ['is of another issuer', (nonce) => ({ nonce, iss: 'https://evil.example' })],
    ['is for another client', (nonce) => ({ nonce, aud: 'another' })],
    ['is for several and not from us', (nonce) => ({ nonce, aud: ['gateway', 'another'] })],
    ['has expired', (nonce) => ({ nonce, exp: 1 })],
    ['names nobody', (nonce) => ({ nonce, sub: '' })],
    ['is missing', () => undefined],
  ])('whose ID token %s signs nobody in, and the tokens that came with it are ended (GWY-07, GWY-08)', async (_, claims) => {
    const scene = scriptedGateway({ upstream: upstream(['openid']) });
    const url = await landed(scene, claims);
    expect([url.searchParams.has('code'), url.searchParams.get('error')]).toEqual([false, 'server_error']);
    expect(scene.provider.revoked).toEqual(['r', 'a']);
  });

  it('whose ID token is about this sign-in signs the person in (GWY-07)', async () => {
    const scene = scriptedGateway({ upstream: upstream(['openid']) });
    const url = await landed(scene, (nonce) => ({ nonce }));
    expect([url.searchParams.has('code'), url.searchParams.get('error')]).toEqual([true, null]);
    expect(scene.provider.revoked).toEqual([]);
  });

  // Some refuse a nonce where `openid` is not asked for.
  it.each<[string, object, boolean]>([
    ['is not expected to hold a nonce, and none is sent', {}, true],
    ['is for another client', { aud: 'another' }, false],
    ['has the nonce of another sign-in', { nonce: 'another' }, false],
  ])('that was not asked for an ID token, and gives one all the same: it %s (GWY-07)', async (_, claims, isTaken) => {
    const scene = scriptedGateway({ upstream: upstream(['read']) });
    let sent: string | undefined;
    const url = await landed(scene, (nonce) => {
      sent = nonce;
      return claims;
    });
    expect(sent).toBe('');
    expect([url.searchParams.has('code'), url.searchParams.get('error')]).toEqual([isTaken, isTaken ? null : 'server_error']);
  });
});
