import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { untilStep } from '../helpers/waiting.ts';

/** A store whose notices a tab does not get while it sleeps; it gets one of each when it wakes. */
function sleepyNotices(store: Store) {
  let isAsleep = false;
  const missed = new Set<() => void>();
  const watch = (key: string, listener: () => void): (() => void) => {
    const stop = store.watch?.(key, () => (isAsleep ? void missed.add(listener) : listener()));
    return () => {
      missed.delete(listener);
      stop?.();
    };
  };
  return {
    store: { ...store, watch },
    sleep() {
      isAsleep = true;
    },
    wake() {
      isAsleep = false;
      for (const listener of [...missed]) listener();
    },
  };
}

/** Two clients of one account on a store that tells of changes, as two tabs have it; both have read it. */
async function twoTabs(options: SceneOptions = {}) {
  const world = scene(options);
  const other = world.another();
  await other.restore();
  await world.client.restore();
  return { ...world, other, call: () => world.client.fetch(world.servers.resource.url, CALL) };
}

describe('clients that share a store which tells of changes', () => {
  it('are signed in and out together, without a request of their own (STO-02, OUT-01)', async () => {
    const { other, client, call, servers } = await twoTabs();
    expect(other.status.step).toBe('unauthorized');
    await call();
    await untilStep(other, 'authorized');
    const requests = servers.requests.length;
    expect((await other.accessToken())?.accessToken).toMatch(/^SECRET-access-token/);
    await other.signOut();
    await untilStep(client, 'unauthorized');
    expect(await client.accessToken()).toBeUndefined();
    expect(servers.requests).toHaveLength(requests);
  });

  it('are signed in again by the same issuer after a sign-out elsewhere (STO-02)', async () => {
    const { other, client, call, servers } = await twoTabs();
    await call();
    await untilStep(other, 'authorized');
    await client.signOut();
    await untilStep(other, 'unauthorized');
    await call();
    await untilStep(other, 'authorized');
    expect(servers.violations).toEqual([]);
  });

  it('have the new token when they wake, although they slept through a sign-out and the next sign-in (STO-02, OUT-01)', async () => {
    const { other, another, servers, store, call } = await twoTabs();
    const notices = sleepyNotices(store);
    const tab = another({ store: notices.store });
    await tab.restore();
    await call();
    await untilStep(tab, 'authorized');
    const before = await tab.accessToken();
    notices.sleep();
    await other.signOut();
    // Somebody else sits at the browser by now.
    await other.fetch(servers.resource.url, CALL);
    await settled();
    const requests = servers.requests.length;
    expect(await tab.accessToken()).toEqual(before);
    notices.wake();
    await settled();
    expect(await tab.accessToken()).toEqual(await other.accessToken());
    expect(tab.status.step).toBe('authorized');
    expect(servers.requests).toHaveLength(requests);
  });

  it('have none when they wake and the next sign-in has run out, too (STO-02, RES-02)', async () => {
    const { other, another, servers, store, call, clock } = await twoTabs({ authorizationServer: { refreshTokens: 'none' } });
    const notices = sleepyNotices(store);
    const tab = another({ store: notices.store });
    await tab.restore();
    await call();
    await untilStep(tab, 'authorized');
    notices.sleep();
    await other.signOut();
    await other.fetch(servers.resource.url, CALL);
    await clock.advance(UNTIL_EXPIRED_MS);
    notices.wake();
    await untilStep(tab, 'unauthorized');
    expect(await tab.accessToken()).toBeUndefined();
  });

  it('have the token that another has refreshed, and ask the store for nothing more (STO-02, RFR-05)', async () => {
    const { other, client, call, clock, servers, storeOperations } = await twoTabs();
    await call();
    await untilStep(other, 'authorized');
    await clock.advance(UNTIL_EXPIRED_MS);
    await other.accessToken();
    await settled();
    const [requests, operations] = [servers.requests.length, storeOperations()];
    expect(await client.accessToken()).toEqual(await other.accessToken());
    expect([servers.requests.length, storeOperations()]).toEqual([requests, operations]);
  });

  it('keep apart what belongs to another account (STO-04)', async () => {
    const { another, call } = await twoTabs();
    const stranger = another({ account: 'somebody else' });
    await stranger.restore();
    await call();
    await settled();
    expect(stranger.status.step).toBe('unauthorized');
  });

  it('hear nothing more once they are closed', async () => {
    let watching = 0;
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const counting = {
      ...store,
      watch(key: string, listener: () => void) {
        watching += 1;
        const stop = store.watch?.(key, listener);
        return () => {
          watching -= 1;
          stop?.();
        };
      },
    };
    const world = scene({ store: counting, clock });
    await world.client.fetch(world.servers.resource.url, CALL);
    await settled();
    expect(watching).toBeGreaterThan(0);
    await world.client.close();
    await settled();
    expect(watching).toBe(0);
  });

  it('stay as they are when the store cannot be read just then (RES-02)', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    let isFailing = false;
    const failing = { ...store, read: (key: string) => (isFailing ? Promise.reject(new Error('no')) : store.read(key)) };
    const world = scene({ store, clock });
    const other = world.another({ store: failing });
    await other.restore();
    isFailing = true;
    await world.client.fetch(world.servers.resource.url, CALL);
    await settled();
    expect(other.status.step).toBe('unauthorized');
    isFailing = false;
    expect((await other.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
