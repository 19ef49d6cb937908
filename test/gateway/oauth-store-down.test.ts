import { describe, expect, it } from 'vitest';
import { isTokenRejected, isValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { authorizeUrl, backendToken, codeForm, GATEWAY, post, refreshForm, register, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { wrappedStore } from '../helpers/wrapped-store.ts';

/** A store that fails for the keys a test names. */
function failingStore(): { store: Store; set(failsFor: (key: string) => boolean): void } {
  let fails = (_key: string): boolean => false;
  return {
    store: wrappedStore(memoryStore({ clock: simulatedClock() }), (operation, key) =>
      fails(key) ? Promise.reject(new Error('connection lost: hunter2')) : operation(),
    ),
    set: (failsFor) => {
      fails = failsFor;
    },
  };
}

describe('a gateway whose store is down', () => {
  it('answers every endpoint as an outage, a page where a person looks, and tells nobody why (GWY-09)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({ store });
    const { clientId, body } = await scene.tokens();
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    const page = await scene.browser().open(authorizeUrl(clientId));
    set(() => true);
    const registered = await register(scene.gateway);
    const refreshed = await post(scene.gateway, 'token', refreshForm(clientId, body));
    const revoked = await post(scene.gateway, 'revoke', { client_id: clientId, token: String(body['refresh_token']) });
    expect([registered, refreshed, revoked].map((answer) => [answer.status, answer.body['error']])).toEqual(
      Array.from({ length: 3 }, () => [503, 'temporarily_unavailable']),
    );
    const pages = [
      await scene.browser().open(authorizeUrl(clientId)),
      await scene.browser().answer(page, 'allow'),
      await browser.open(callbackUrl(upstream)),
    ];
    for (const { response, html } of pages) {
      expect([response?.status, response?.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
      expect(html).toContain('cannot be served now');
    }
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isValidatorUnavailable);
    expect(JSON.stringify([registered, refreshed, revoked, pages, scene.logged])).not.toContain('hunter2');

    set(() => false);
    expect((await browser.open(callbackUrl(upstream))).url.searchParams.has('code')).toBe(true);
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-1');
  });

  it('when the grant is to be kept ends the tokens that have just come (GWY-08)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({ store });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    set((key) => key.includes('/grant/'));
    const { url } = await browser.open(callbackUrl(upstream));
    expect([url.searchParams.get('error'), url.searchParams.get('iss')]).toEqual(['temporarily_unavailable', GATEWAY]);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('when the code is to be noted ends the grant, and the tokens that have just come (GWY-08)', async () => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    scene.provider.answer = () => {
      breakWrites((key) => key.includes('/transaction/'));
      return Response.json({ access_token: 'a', refresh_token: 'r', token_type: 'Bearer' });
    };
    expect((await browser.open(callbackUrl(upstream))).response?.status).toBe(503);
    expect(scene.provider.revoked).toEqual(['r', 'a']);
  });

  it('altogether when the code is to be noted ends at least the tokens that have just come (GWY-08)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({
      store: {
        ...store,
        write: async (key, value, options) => {
          const written = await store.write(key, value, options);
          if (key.includes('/grant/')) set(() => true);
          return written;
        },
      },
    });
    const browser = scene.browser();
    const { upstream } = await scene.leave(browser);
    expect((await browser.open(callbackUrl(upstream))).response?.status).toBe(503);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('when upstream tokens were renewed keeps them until it is back, and never presents a spent one (GWY-08)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({ store });
    let given = 0;
    scene.provider.answer = () => {
      given += 1;
      if (given === 2 || given === 3) set((key) => key.includes('/grant/'));
      return Response.json({ access_token: `access-${given}`, refresh_token: `refresh-${given}`, token_type: 'Bearer', expires_in: 100 });
    };
    const { body } = await scene.tokens();
    const asked = () => backendToken(scene.gateway, body['access_token']);
    await scene.clock.advance(101_000);
    await expect(asked()).rejects.toSatisfy(isValidatorUnavailable);
    set(() => false);
    expect([await asked(), await backendToken(scene.replica(), body['access_token'])]).toEqual(['access-2', 'access-2']);

    await scene.clock.advance(101_000);
    await expect(asked()).rejects.toSatisfy(isValidatorUnavailable);
    set(() => false);
    // What is kept in memory has expired by now, and its own refresh token is the next one.
    await scene.clock.advance(101_000);
    expect(await asked()).toBe('access-4');
    const presented = scene.provider.tokenRequests.slice(1).map((form) => form.get('refresh_token'));
    expect(presented).toEqual(['refresh-1', 'refresh-2', 'refresh-3']);
  });

  it('when consent begins sends the client away with an outage, and no page is left behind (GWY-04)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({ store });
    const clientId = await registeredClient(scene.gateway);
    set((key) => key.includes('/secret/'));
    const { url } = await scene.browser().open(authorizeUrl(clientId));
    expect(url.searchParams.get('error')).toBe('temporarily_unavailable');
  });

  it('when a code is redeemed keeps the code good (GWY-08)', async () => {
    const { store, set } = failingStore();
    const scene = scriptedGateway({ store });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    set((key) => key.includes('/transaction/'));
    expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).status).toBe(503);
    set(() => false);
    expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).status).toBe(200);
  });

  it.each([
    ['that is noted', '/transaction/'],
    ['its grant is ended', '/grant/'],
  ])('when a code comes again and %s gives no tokens for it, and ends the grant at the next try (GWY-08)', async (_, kind) => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
    const statuses: number[] = [];
    for (const times of [1, 1, 0]) {
      breakWrites((key) => key.includes(kind), times);
      statuses.push((await post(scene.gateway, 'token', codeForm(clientId, landing))).status);
    }
    expect(statuses).toEqual([503, 503, 400]);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect(scene.logged.filter(({ event }) => event === 'gateway.code-replayed')).toHaveLength(3);
  });

  it.each(['write', 'delete'] as const)(
    'when a grant ends and the answer to its %s is lost still ends its tokens upstream (GWY-08)',
    async (operation) => {
      const sound = memoryStore({ clock: simulatedClock() });
      let isLost = false;
      const losing = async <Result>(key: string, work: Promise<Result>): Promise<Result> => {
        const answer = await work;
        if (!isLost || !key.includes('/grant/')) return answer;
        isLost = false;
        throw new Error('connection lost: hunter2');
      };
      const scene = scriptedGateway({
        store: {
          ...sound,
          [operation]: (key: string, ...rest: readonly never[]) =>
            losing(key, (sound[operation] as never as (...all: unknown[]) => Promise<unknown>)(key, ...rest)),
        },
      });
      const { clientId, body } = await scene.tokens();
      await post(scene.gateway, 'token', refreshForm(clientId, body));
      await scene.clock.advance(60_000);
      isLost = true;
      await post(scene.gateway, 'token', refreshForm(clientId, body));
      expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).body['error']).toBe('invalid_grant');
      expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    },
  );

  it('when a refresh token comes a second time lets nobody go on with the newer one (GWY-08)', async () => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    const { clientId, body } = await scene.tokens();
    const newer = (await post(scene.gateway, 'token', refreshForm(clientId, body))).body;
    await scene.clock.advance(60_000);
    breakWrites((key) => key.includes('/grant/'), 1);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).status).toBe(503);
    expect(scene.logged.map(({ event }) => event)).toContain('gateway.refresh-token-reused');
    await scene.clock.advance(600_000);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, newer))).body['error']).toBe('invalid_grant');
    await expect(backendToken(scene.gateway, newer['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });
});
