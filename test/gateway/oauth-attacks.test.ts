import { describe, expect, it } from 'vitest';
import { isTokenRejected, isValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import {
  authorizeUrl,
  backendToken,
  codeForm,
  GATEWAY,
  type Json,
  post,
  REDIRECT_URI,
  refreshForm,
  register,
  registeredClient,
  VERIFIER,
} from '../helpers/gateway-scene.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { wrappedStore } from '../helpers/wrapped-store.ts';

const NASTY = 'x\r\nSet-Cookie: a=b\r\n\r\n<script>&iss=https://evil.example&code=stolen#/%0d%0a';

describe('what a client sends', () => {
  it('as state comes back as it was, and is neither a header nor another parameter (GWY-07)', async () => {
    const scene = scriptedGateway();
    const { url } = await scene
      .browser()
      .open(authorizeUrl(await registeredClient(scene.gateway), { state: NASTY, response_type: 'token' }));
    expect(url.searchParams.getAll('state')).toEqual([NASTY]);
    expect(url.searchParams.getAll('iss')).toEqual([GATEWAY]);
    expect([url.searchParams.has('code'), url.hash]).toEqual([false, '']);
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser, { state: NASTY });
    const landing = await browser.open(callbackUrl(upstream));
    expect(landing.url.searchParams.getAll('state')).toEqual([NASTY]);
    expect(landing.url.searchParams.getAll('code')).not.toContain('stolen');
  });

  it.each<[string, Record<string, string>, string]>([
    ['a state', { state: 'x'.repeat(4097) }, 'invalid_request'],
    ['a scope', { scope: 'x'.repeat(2049) }, 'invalid_scope'],
  ])('is bounded where it is stored: %s (GWY-04, GWY-05)', async (_, changes, error) => {
    const scene = scriptedGateway();
    const { url } = await scene.browser().open(authorizeUrl(await registeredClient(scene.gateway), changes));
    expect(url.searchParams.get('error')).toBe(error);
  });

  it.each([
    ['another host', 'https://evil.example/callback'],
    ['the same host as a part of another', 'http://127.0.0.1.evil.example:5000/callback'],
    ['somebody before the host', 'http://127.0.0.1:5000@evil.example/callback'],
    ['a path that climbs', `${REDIRECT_URI}/../../elsewhere`],
    ['an encoded path', 'http://127.0.0.1:5000/%63allback'],
    ['a line break', `${REDIRECT_URI}\r\nLocation: https://evil.example`],
    ['another parameter', `${REDIRECT_URI}?next=https://evil.example`],
    ['a fragment', `${REDIRECT_URI}#x`],
    ['another spelling of the host', 'http://127.1:5000/callback'],
    ['another spelling of the scheme', 'HTTP://127.0.0.1:5000/callback'],
    ['a backslash', 'http://127.0.0.1:5000\\callback'],
  ])('as redirect URI leads nowhere if it is not the registered one: %s (GWY-05)', async (_, redirect_uri) => {
    const scene = scriptedGateway();
    const { response, url } = await scene.browser().open(authorizeUrl(await registeredClient(scene.gateway), { redirect_uri }));
    expect([response?.status, response?.headers.get('location'), url.origin]).toEqual([400, null, GATEWAY]);
  });

  it.each([
    ['letters of another script', 'https://\u0430pple.example/client.json'],
    ['a tab that parsers drop', 'https://apple.example\t.evil.example/client.json'],
    ['a backslash', 'https://evil.example\\.apple.example/client.json'],
    ['a bidirectional override', 'https://evil.example/\u202Eclient.json'],
  ])('as the address of its document has one reading: %s is not fetched (GWY-05, GWY-06)', async (_, clientId) => {
    let asked = 0;
    const scene = scriptedGateway({
      clientMetadataDocuments: { resolve: () => Promise.resolve(['93.184.215.14']) },
      fetch: () => {
        asked += 1;
        return Promise.resolve(Response.json({ client_id: clientId, client_name: 'Apple', redirect_uris: [REDIRECT_URI] }));
      },
    });
    const { response, html } = await scene.browser().open(authorizeUrl(clientId));
    expect([response?.status, html.includes('<form'), asked]).toEqual([400, false, 0]);
  });
});

describe('a token of the gateway', () => {
  it.each(['opaque', 'jwt'] as const)('serves for its own purpose only: %s (GWY-08)', async (kind) => {
    const scene =
      kind === 'opaque' ? scriptedGateway() : scriptedGateway({ store: undefined, sealingKeys: undefined, tokens: {} } as never);
    const { clientId, body } = await scene.tokens();
    const [access, refresh] = [String(body['access_token']), String(body['refresh_token'])];
    await expect(backendToken(scene.gateway, refresh)).rejects.toSatisfy(isTokenRejected);
    const form = refreshForm(clientId, { refresh_token: access });
    expect((await post(scene.gateway, 'token', form)).body['error']).toBe('invalid_grant');
    const asCode = { grant_type: 'authorization_code', client_id: clientId, code: refresh, code_verifier: VERIFIER };
    expect((await post(scene.gateway, 'token', asCode)).body['error']).toBe('invalid_grant');
    expect(await backendToken(scene.gateway, access)).toBe('upstream-access-1');
  });
});

/** The nth operation fails, once. */
function storeFailingAt(nth: number): { store: Store; count: () => number } {
  let count = 0;
  const store = wrappedStore(memoryStore({ clock: simulatedClock() }), (operation) => {
    count += 1;
    return count === nth ? Promise.reject(new Error('connection lost: hunter2')) : operation();
  });
  return { count: () => count, store };
}

interface Life {
  /** The end of each step in order: its status, and the error that programs are told. */
  readonly seen: string[];
  /** Every answer: where it led, its headers and its body. */
  readonly answers: string[];
}

type Answered = { readonly response?: Response; readonly status?: number; readonly body?: Json; readonly url?: URL };

const CODE = ['register 201', 'authorize 200', 'consent 303', 'callback 303'];
const TOKENS = [...CODE, 'redeem 200', 'refresh 200'];
const [AGAIN, OUT] = ['replay 400 invalid_grant', 'replay 503 temporarily_unavailable'];

/** Every way that a life goes. Most failures cost nobody anything but a second try. */
const LIVES = [
  [...TOKENS, AGAIN, AGAIN, AGAIN, 'revoke 200', 'over'],
  [...TOKENS, AGAIN, AGAIN, OUT, 'revoke 200', 'over'],
  [...TOKENS, AGAIN, OUT, AGAIN, 'revoke 200', 'over'],
  [...TOKENS, OUT, AGAIN, AGAIN, 'revoke 200', 'over'],
  // The code was redeemed, and comes again: nobody can say by whom.
  [...CODE, 'redeem 400 invalid_grant', 'refresh 400 invalid_grant', AGAIN, AGAIN, AGAIN, 'revoke 200'],
  // The upstream code may have been sent: nobody sends it twice.
  ['register 201', 'authorize 200', 'consent 303', 'callback 303 temporarily_unavailable'],
  ['register 201', 'authorize 200', 'consent 303', 'callback 400'],
  ['register 201', 'authorize 200', 'consent 303 temporarily_unavailable'],
  // It was answered, but nobody had the answer.
  ['register 201', 'authorize 200', 'consent 400'],
  ['register 201', 'authorize 303 temporarily_unavailable'],
].map((steps) => steps.join(', '));

/** From registration to a replay and revocation; whoever is told of an outage tries the same once more, as clients do. */
async function wholeLife(scene: ScriptedGateway): Promise<Life> {
  const life: Life = { seen: [], answers: [] };
  const asked = async <Answer extends Answered>(step: string, ask: () => Promise<Answer>, times = 2): Promise<Answer> => {
    const answer = await ask();
    const status = answer.status ?? answer.response?.status ?? 303;
    life.answers.push(JSON.stringify([answer, ...(answer.response?.headers ?? [])]));
    if (status === 503 && times > 1) return asked(step, ask, times - 1);
    const error = answer.body?.['error'] ?? answer.url?.searchParams.get('error');
    life.seen.push([step, status, ...(typeof error === 'string' ? [error] : [])].join(' '));
    return answer;
  };
  const { body: registered } = await asked('register', () => register(scene.gateway));
  const clientId = String(registered['client_id']);
  const browser = scene.browser();
  const page = await asked('authorize', () => browser.open(authorizeUrl(clientId)));
  if (!page.html.includes('<form')) return life;
  const left = await asked('consent', () => browser.answer(page, 'allow'));
  if (left.url.origin !== IDENTITY_PROVIDER) return life;
  const landing = await asked('callback', () => browser.open(callbackUrl(left.url)));
  if (landing.response !== undefined || !landing.url.searchParams.has('code')) return life;
  const { body } = await asked('redeem', () => post(scene.gateway, 'token', codeForm(clientId, landing)));
  const form = refreshForm(clientId, body);
  const refreshed = await asked('refresh', () => post(scene.gateway, 'token', form));
  // Somebody else has the code, too, and comes again and again.
  for (let time = 0; time < 3; time += 1) await asked('replay', () => post(scene.gateway, 'token', codeForm(clientId, landing)), 1);
  const token = String(refreshed.body['refresh_token'] ?? form.refresh_token);
  await asked('revoke', () => post(scene.gateway, 'revoke', { client_id: clientId, token }));
  if (refreshed.status === 200) {
    const use = (): Promise<string> => backendToken(scene.gateway, refreshed.body['access_token']);
    const used = use().catch((thrown: unknown) => (isValidatorUnavailable(thrown) ? use() : Promise.reject(thrown)));
    await expect(used).rejects.toSatisfy(isTokenRejected);
    life.seen.push('over');
  }
  return life;
}

describe('a store that fails at one operation', () => {
  it('whichever of a whole life: every answer is coded, no secret is told, codes are sent and redeemed once, and the next sign-in works (GWY-04, GWY-08, GWY-09)', async () => {
    const whole = storeFailingAt(Number.POSITIVE_INFINITY);
    await wholeLife(scriptedGateway({ store: whole.store }));
    expect(whole.count()).toBeGreaterThan(25);
    const outcomes = new Set<string>();
    for (let nth = 1; nth <= whole.count(); nth += 1) {
      const { store } = storeFailingAt(nth);
      const scene = scriptedGateway({ store });
      const { seen, answers } = await wholeLife(scene);
      outcomes.add(seen.join(', '));
      expect(JSON.stringify([answers, scene.logged]), `operation ${nth}`).not.toContain('hunter2');
      const codes = scene.provider.tokenRequests.filter((form) => form.get('grant_type') === 'authorization_code');
      expect(codes.length, `operation ${nth}`).toBeLessThanOrEqual(1);
      expect((await scene.tokens()).body, `after operation ${nth}`).toHaveProperty('access_token');
    }
    expect([...outcomes].sort()).toEqual(LIVES.sort());
  });

  it('when the use of a registration is noted still gives the client its tokens (GWY-05, GWY-08)', async () => {
    const inner = memoryStore({ clock: simulatedClock() });
    let isFailing = false;
    let isSecond = false;
    const scene = scriptedGateway({
      store: {
        ...inner,
        read: (key) => {
          // The first read of a token request finds the client, the next one is about its lifetime.
          const isAboutClient = isFailing && key.includes('/client/');
          const fails = isAboutClient && isSecond;
          isSecond = isSecond || isAboutClient;
          return fails ? Promise.reject(new Error('connection lost')) : inner.read(key);
        },
      },
    });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    isFailing = true;
    expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).status).toBe(200);
    expect(scene.logged.map(({ event }) => event)).toContain('gateway.registration-not-kept');
  });
});
