import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { untilStep } from '../helpers/waiting.ts';

/** Two clients of one account on a store that tells of changes, as two tabs have it; both have read it. */
async function twoTabs() {
  const world = scene();
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
