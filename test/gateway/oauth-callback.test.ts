import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { Landing } from '../helpers/gateway-browser.ts';
import { authorizeUrl, backendToken, codeForm, GATEWAY, post, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { inStep } from '../helpers/stores-in-step.ts';

afterEach(() => void vi.useRealTimers());

const errorOf = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);

describe('the response of the identity provider', () => {
  it.each<[string, Record<string, string | undefined>]>([
    ['a code', {}],
    ['an error', { code: undefined, error: 'access_denied' }],
  ])('with %s is taken in the browser that left and in no other, which changes nothing (GWY-06)', async (_, changes) => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const stolen = await scene.browser().open(callbackUrl(upstream, changes));
    expect([stolen.response?.status, stolen.response?.headers.get('location')]).toEqual([403, null]);
    // A browser with a transaction of its own is another one, too.
    const other = scene.browser();
    await scene.leave(other);
    expect((await other.open(callbackUrl(upstream, changes))).response?.status).toBe(403);
    // Nor is one that has a cookie of the right name.
    const guessing = scene.browser();
    for (const name of browser.cookies.keys()) guessing.cookies.set(name, 'x'.repeat(43));
    expect((await guessing.open(callbackUrl(upstream, changes))).response?.status).toBe(403);
    expect(scene.provider.tokenRequests).toEqual([]);
    expect((await browser.open(callbackUrl(upstream))).url.searchParams.has('code')).toBe(true);
    expect(browser.cookies.size).toBe(0);
  });

  it('may come to any replica (GWY-04)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { clientId, upstream } = await scene.leave(browser);
    const elsewhere = scene.browser(scene.replica());
    for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value);
    const landing = await elsewhere.open(callbackUrl(upstream));
    const { body } = await post(scene.replica(), 'token', codeForm(clientId, landing));
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-1');
  });

  it('is taken once, also where it comes to two replicas at the same instant (GWY-04, GWY-07)', async () => {
    const { store, pair } = inStep(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const other = scene.browser(scene.replica());
    for (const [name, value] of browser.cookies) other.cookies.set(name, value);
    // One read to look at the transaction, one to change it.
    pair('/transaction/', 2);
    const landings = await Promise.all([browser.open(callbackUrl(upstream)), other.open(callbackUrl(upstream))]);
    expect(landings.filter(({ url }) => url.searchParams.has('code') && url.origin !== GATEWAY)).toHaveLength(1);
    expect(scene.provider.tokenRequests).toHaveLength(1);
    expect((await browser.open(callbackUrl(upstream))).response?.status).toBe(403);
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['another issuer', { iss: 'https://evil.example' }, 'server_error'],
    ['no issuer, though it promised one', { iss: undefined }, 'server_error'],
    ['neither code nor error', { code: undefined }, 'server_error'],
    ['a refusal', { code: undefined, error: 'access_denied' }, 'access_denied'],
    ['an outage', { code: undefined, error: 'temporarily_unavailable' }, 'server_error'],
    ['an error of its own', { code: undefined, error: '<script>', error_description: 'do not pass on' }, 'server_error'],
    ['a token in place of a code', { access_token: 'x' }, 'server_error'],
  ])('with %s goes back to the client as an error with our issuer, and no code is sent anywhere (GWY-07)', async (_, changes, error) => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const { url } = await browser.open(callbackUrl(upstream, changes));
    expect(errorOf(url)).toEqual({ error, state: 'the state of the client', iss: GATEWAY });
    expect(scene.provider.tokenRequests).toEqual([]);
    // It has ended: the right response comes too late.
    expect((await browser.open(callbackUrl(upstream))).response?.status).toBe(403);
  });

  it.each<[string, (state: string) => string]>([
    ['another', (state) => `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`],
    ['a shorter', (state) => state.slice(0, -1)],
    ['an empty', () => ''],
    ['a made up', () => `1.${'x'.repeat(43)}.${'x'.repeat(43)}`],
  ])('with %s state is answered here, and changes nothing (GWY-07)', async (_, change) => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const wrong = await browser.open(callbackUrl(upstream, { state: change(upstream.searchParams.get('state') ?? '') }));
    expect(wrong.response?.status).toBeGreaterThanOrEqual(400);
    expect((await browser.open(callbackUrl(upstream))).url.searchParams.get('iss')).toBe(GATEWAY);
  });

  it('that comes after the deadline is refused (GWY-04)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    await scene.clock.advance(300_000);
    expect((await browser.open(callbackUrl(upstream))).response?.status).toBe(400);
    expect(scene.provider.tokenRequests).toEqual([]);
  });

  it('with a parameter twice is not believed (GWY-07)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const { url } = await browser.open(`${callbackUrl(upstream)}&code=another`);
    expect(url.searchParams.get('error')).toBe('server_error');
    expect(scene.provider.tokenRequests).toEqual([]);
  });
});

describe('an identity provider', () => {
  it('gets a verifier, state and nonce of our own, and no parameter of the client (GWY-07)', async () => {
    const scene = scriptedGateway({
      upstream: { issuer: IDENTITY_PROVIDER, clientId: 'gateway', clientSecret: 's', scopes: ['openid'], parameters: { audience: 'api' } },
    });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser, { nonce: 'of the client', claims: '{}' });
    expect([...upstream.searchParams.keys()].sort()).toEqual(
      [
        'audience',
        'client_id',
        'code_challenge',
        'code_challenge_method',
        'nonce',
        'redirect_uri',
        'response_type',
        'scope',
        'state',
      ].sort(),
    );
    expect(upstream.searchParams.get('nonce')).toMatch(/^[\w-]{43}$/);
    await browser.open(callbackUrl(upstream));
    expect(scene.provider.tokenRequests[0]?.get('code_verifier')).toMatch(/^[\w-]{43}$/);
  });

  it('that lies about its issuer in its metadata is not used (GWY-07)', async () => {
    const scene = scriptedGateway();
    scene.provider.metadata['issuer'] = 'https://evil.example';
    const { upstream } = await scene.leave(scene.browser());
    expect(errorOf(upstream)).toEqual({ error: 'server_error', state: 'the state of the client', iss: GATEWAY });
  });

  it('that is down at consent sends the person back to the client, and the next attempt finds it up again (GWY-07)', async () => {
    const scene = scriptedGateway();
    scene.provider.isDown = true;
    const down = await scene.leave(scene.browser());
    expect(errorOf(down.upstream)).toMatchObject({ error: 'temporarily_unavailable', iss: GATEWAY });
    expect(scene.logged).toContainEqual(expect.objectContaining({ level: 'warn', event: 'gateway.transaction-ended', step: 'failed' }));
    scene.provider.isDown = false;
    expect((await scene.leave(scene.browser())).upstream.origin).toBe(IDENTITY_PROVIDER);
  });

  it('that is down at the exchange is an outage for the client (GWY-07)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    scene.provider.answer = () => new Response(null, { status: 503 });
    expect(errorOf((await browser.open(callbackUrl(upstream))).url)).toMatchObject({ error: 'temporarily_unavailable', iss: GATEWAY });
    expect(scene.provider.tokenRequests).toHaveLength(1);
  });

  it('that is slow at the exchange is waited for as long as was said, and then an outage for the client (GWY-07)', async () => {
    const scene = scriptedGateway({ limits: { upstreamTimeoutMs: 7_000 } });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const asked = new Promise<void>((resolve) => {
      scene.provider.answer = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let isBack = false;
    const landing = browser.open(callbackUrl(upstream)).finally(() => {
      isBack = true;
    });
    await asked;
    vi.advanceTimersByTime(6_999);
    await settled();
    expect(isBack).toBe(false);
    vi.advanceTimersByTime(1);
    expect(errorOf((await landing).url)).toMatchObject({ error: 'temporarily_unavailable', iss: GATEWAY });
    expect(scene.provider.tokenRequests).toHaveLength(1);
  });

  it('that refuses the code, or the gateway, is a mistake of the server for the client (GWY-07)', async () => {
    for (const error of ['invalid_grant', 'invalid_client']) {
      const scene = scriptedGateway();
      const browser = scene.browser();
      const { upstream } = await scene.leave(browser);
      scene.provider.answer = () => Response.json({ error, error_description: 'the secret upstream' }, { status: 400 });
      expect(errorOf((await browser.open(callbackUrl(upstream))).url)).toEqual({
        error: 'server_error',
        state: 'the state of the client',
        iss: GATEWAY,
      });
      expect(JSON.stringify(scene.logged)).not.toContain('the secret upstream');
    }
  });

  it('that grants nothing of what was asked for sends the person back with invalid_scope, and its tokens are ended (GWY-08, GWY-13)', async () => {
    const scene = scriptedGateway();
    scene.provider.answer = () => Response.json({ access_token: 'unwanted', token_type: 'Bearer', scope: 'other' });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser, { scope: 'read offline_access' });
    const { url } = await browser.open(callbackUrl(upstream));
    expect(errorOf(url)).toMatchObject({ error: 'invalid_scope', iss: GATEWAY });
    expect(scene.provider.revoked).toEqual(['unwanted']);
    expect(scene.logged).toContainEqual(expect.objectContaining({ event: 'gateway.scopes-not-granted', level: 'warn', missing: ['read'] }));
    expect(scene.logged).toContainEqual(
      expect.objectContaining({ event: 'gateway.transaction-ended', code: 'scope_not_granted', advice: expect.stringMatching(/./) }),
    );
  });

  it.each([
    [
      'it does not know the client',
      () => Response.json({ error: 'invalid_client' }, { status: 401 }),
      'client_rejected',
      '`upstream.clientId`',
    ],
    ['its answer is far too long', () => new Response('x'.repeat(300_000)), 'response_too_large', 'identity provider'],
  ])('that fails is logged with what the operator of a gateway can do: %s (GWY-07)', async (_title, answer, code, advice) => {
    const scene = scriptedGateway();
    scene.provider.answer = answer;
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    expect(errorOf((await browser.open(callbackUrl(upstream))).url)).toMatchObject({ error: 'server_error' });
    expect(scene.logged).toContainEqual(
      expect.objectContaining({ event: 'gateway.transaction-ended', code, advice: expect.stringContaining(advice) }),
    );
  });

  it('that calls scopes of OpenID Connect otherwise has granted them all the same (GWY-08)', async () => {
    const scene = scriptedGateway();
    scene.provider.answer = () =>
      Response.json({ access_token: 'a', token_type: 'Bearer', scope: 'https://www.googleapis.com/auth/userinfo.email' });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser, { scope: 'email' });
    expect((await browser.open(callbackUrl(upstream))).url.searchParams.has('code')).toBe(true);
  });

  it('that grants less than was asked for has the last word (GWY-08)', async () => {
    const scene = scriptedGateway();
    scene.provider.answer = () => Response.json({ access_token: 'a', token_type: 'Bearer', scope: 'read email' });
    const browser = scene.browser();
    const { clientId, upstream } = await scene.leave(browser, { scope: 'read write' });
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, await browser.open(callbackUrl(upstream))));
    expect(body['scope']).toBe('read');
  });
});

describe('two sign-ins in one browser', () => {
  it('do not disturb each other (GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const clientId = await registeredClient(scene.gateway);
    const pages = [
      await browser.open(authorizeUrl(clientId, { state: 'one' })),
      await browser.open(authorizeUrl(clientId, { state: 'two' })),
    ];
    const left: URL[] = [];
    for (const page of pages) left.push((await browser.answer(page, 'allow')).url);
    const landings: Landing[] = [];
    for (const upstream of left.reverse()) landings.push(await browser.open(callbackUrl(upstream)));
    expect(landings.map(({ url }) => [url.searchParams.get('state'), url.searchParams.has('code')])).toEqual([
      ['two', true],
      ['one', true],
    ]);
  });
});
