import { describe, expect, it } from 'vitest';
import { isTokenRejected } from '../../src/gateway/token-validator.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { authorizeUrl, backendToken, codeForm, GATEWAY, post, refreshForm, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { signingKey } from '../helpers/signing-key.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const CHUNK_BYTES = 4096;
const LIMIT_BYTES = 16 * CHUNK_BYTES;
const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);

describe('a token request', () => {
  it.each(['code', 'client_id', 'code_verifier', 'resource', 'grant_type'])(
    'with %s twice is refused, and the code stays good (GWY-08)',
    async (name) => {
      const scene = scriptedGateway();
      const { clientId, landing } = await scene.signedIn(scene.browser());
      const form = codeForm(clientId, landing);
      const twice = `${new URLSearchParams(form)}&${name}=${encodeURIComponent(form[name] ?? '')}`;
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await scene.gateway.fetch(new Request(`${GATEWAY}/oauth/token`, { method: 'POST', body: twice, headers }));
      expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);
      expect((await post(scene.gateway, 'token', form)).status).toBe(200);
    },
  );

  it.each<[string, Record<string, string>, number]>([
    ['is read to the limit and no further', {}, LIMIT_BYTES + CHUNK_BYTES],
    ['is not read at all where it says so', { 'content-length': String(10 * 1024 * 1024) }, 0],
  ])('of 10 MB %s (GWY-08)', async (_, length, mostBytes) => {
    const { gateway } = scriptedGateway({ limits: { requestBytes: LIMIT_BYTES } });
    let readBytes = 0;
    const chunk = new TextEncoder().encode('x'.repeat(CHUNK_BYTES));
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          readBytes += CHUNK_BYTES;
          controller.enqueue(chunk);
          if (readBytes >= 10 * 1024 * 1024) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...length };
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
    expect((await gateway.fetch(new Request(`${GATEWAY}/oauth/token`, init))).status).toBe(413);
    expect(readBytes).toBe(mostBytes);
  });
});

describe('the keys of a gateway', () => {
  it('are changed while people are signed in: what the old ones made works, new things come from the new ones (GWY-08)', async () => {
    const [one, two] = [await signingKey('one'), await signingKey('two')];
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const before = scriptedGateway({
      store,
      clock,
      tokens: { signingKeys: [one] },
      sealingKeys: { keys: { old: OLD }, current: 'old' },
    });
    const { clientId, body } = await before.tokens();
    const after = scriptedGateway({
      store,
      clock,
      tokens: { signingKeys: [two, one] },
      sealingKeys: { keys: { new: NEW, old: OLD }, current: 'new' },
    });
    expect(await backendToken(after.gateway, body['access_token'])).toBe('upstream-access-1');
    const refreshed = await post(after.gateway, 'token', refreshForm(clientId, body));
    expect(refreshed.status).toBe(200);
    const fresh = String(refreshed.body['access_token']);
    expect(JSON.parse(atob(fresh.split('.')[0] ?? ''))).toMatchObject({ kid: 'two' });
    expect(await backendToken(after.gateway, fresh)).toMatch(/^upstream-access-/);
    // A replica that has not got the new key yet knows nothing of it: a login, and no server error.
    await expect(backendToken(before.gateway, fresh)).rejects.toSatisfy(isTokenRejected);
  });

  it('that were taken away make their tokens invalid, and are no server error (GWY-08)', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const before = scriptedGateway({ store, clock, sealingKeys: { keys: { old: OLD }, current: 'old' } });
    const { clientId, body } = await before.tokens();
    const after = scriptedGateway({ store, clock, sealingKeys: { keys: { new: NEW }, current: 'new' } });
    await expect(backendToken(after.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
    const refreshed = await post(after.gateway, 'token', refreshForm(clientId, body));
    expect([refreshed.status, refreshed.body['error']]).toEqual([400, 'invalid_grant']);
  });

  it.each(['jwt', 'opaque'] as const)('shared by two resources let no token of one open the other: %s (GWY-08)', async (format) => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const shared = { store, clock, tokens: { format, signingKeys: [await signingKey('one')] } };
    const weather = scriptedGateway(shared);
    const payroll = scriptedGateway({ ...shared, resource: 'https://payroll.example.com/mcp', issuer: GATEWAY });
    const { body } = await weather.tokens();
    const context = { resource: 'https://payroll.example.com/mcp', signal: new AbortController().signal };
    await expect(payroll.gateway.validator.validate(String(body['access_token']), context)).rejects.toSatisfy(isTokenRejected);
  });
});

describe('whoever can write the store', () => {
  it('cannot give one person the upstream token of another by exchanging their records (GWY-08)', async () => {
    const scene = scriptedGateway();
    const grants: string[] = [];
    const { store } = scene;
    const write: typeof store.write = (key, ...rest) => {
      grants.push(key);
      return store.write(key, ...rest);
    };
    const watching = { ...store, write };
    const watched = scriptedGateway({ store: watching, clock: scene.clock });
    const [ann, eve] = [await watched.tokens(), await watched.tokens()];
    const keys = [...new Set(grants.filter((key) => key.includes('/grant/')))];
    expect(keys).toHaveLength(2);
    const [first, second] = await Promise.all(keys.map((key) => store.read(key)));
    for (const [key, record] of [
      [keys[0], second],
      [keys[1], first],
    ] as const)
      await store.write(key ?? '', record?.value ?? {}, {});
    for (const { body } of [ann, eve]) {
      await expect(backendToken(watched.replica(), body['access_token'])).rejects.toThrow();
    }
  });
});

describe('a browser', () => {
  it('that holds two cookies for one sign-in, one of them planted, is not taken for its own (GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const [[key = '', own = ''] = []] = browser.cookies;
    const name = key.split(' ')[1] ?? '';
    const request = new Request(callbackUrl(upstream), { headers: { cookie: `${name}=${own}; ${name}=${'x'.repeat(43)}` } });
    expect((await scene.gateway.fetch(request)).status).toBe(403);
  });

  it('is sent on by 303, so that no form goes along, and tells no other site where it was (GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    expect(page.response?.headers.get('referrer-policy')).toBe('same-origin');
    const statuses: (number | null)[] = [];
    const watching = scene.browser({
      ...scene.gateway,
      fetch: async (request) => {
        const response = await scene.gateway.fetch(request);
        statuses.push(response.status);
        expect(response.headers.get('referrer-policy')).toBe('no-referrer');
        return response;
      },
    });
    for (const [name, value] of browser.cookies) watching.cookies.set(name, value);
    const { url } = await watching.answer(page, 'allow');
    await watching.open(callbackUrl(url));
    expect(statuses).toEqual([303, 303]);
  });
});
