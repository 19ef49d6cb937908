/** A sign-out in one worker, and when the others hear of it: as `docs/hosting.md` says. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { countingStore } from '../helpers/counting-store.ts';
import { type HostedScene, hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { CALL } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { type SimulatedClock, settled } from '../helpers/simulated-clock.ts';

/** As Redis, PostgreSQL, SQLite and files are. */
function silentStore(clock: SimulatedClock): Store {
  const { watch: _, ...silent } = memoryStore({ clock });
  return silent;
}

/** Two workers have the client of the account in memory; the account is signed out in one of them. */
async function signedOut({ store = silentStore, idleMs = 60_000 }: { store?: (clock: SimulatedClock) => Store; idleMs?: number } = {}) {
  let operations = (): number => 0;
  const counted = (clock: SimulatedClock): Store => {
    const counting = countingStore(store(clock));
    operations = counting.operations;
    return counting.store;
  };
  const world = hostedScene({ store: counted, host: { idleMs } });
  await world.host.handleCallback(await world.approve(await urlToApprove(world.host, 'ann', world), 'ann'));
  const resource = world.servers.resource.url;
  const client = world.worker().client({ resource, account: 'ann' });
  expect((await client.fetch(resource, CALL)).status).toBe(200);
  await world.host.client({ resource, account: 'ann' }).signOut();
  await settled();
  const refreshes = (): number => world.servers.requestsFor('token').filter(({ form }) => form.has('refresh_token')).length;
  return { ...world, client, refreshes, operations, call: () => client.fetch(resource, CALL) };
}

const tokenSent = ({ servers }: HostedScene): boolean => servers.requestsFor('resource').at(-1)?.headers.has('authorization') === true;

describe('a worker that has the client in memory when another signs the account out', () => {
  it('asks the store for nothing on the authorised path: it sends the token it has (FET-11)', async () => {
    const world = await signedOut();
    const before = world.operations();
    expect((await world.call()).status).toBe(200);
    expect([world.operations(), tokenSent(world)]).toEqual([before, true]);
  });

  it('hears of it at its next refresh, and sends none (OUT-01)', async () => {
    const world = await signedOut({ idleMs: 24 * 3_600_000 });
    await world.clock.advance(UNTIL_EXPIRED_MS);
    expect(await world.client.accessToken()).toBeUndefined();
    expect(world.client.status.step).toBe('unauthorized');
    expect(world.refreshes()).toBe(0);
  });

  it('hears of it when it loads the client again (OUT-01, RES-06)', async () => {
    const world = await signedOut();
    await world.clock.advance(2 * 60_000);
    expect(await world.client.accessToken()).toBeUndefined();
    expect(world.refreshes()).toBe(0);
  });

  it('hears of it by a 401, and asks the user instead of refreshing (OUT-01)', async () => {
    const world = await signedOut();
    world.servers.authorizationServer.expireAccessTokens();
    const asked = new Promise<void>((resolve) => {
      world.client.subscribe(({ step }) => step === 'awaiting-user' && resolve());
    });
    const pending = world.call().catch((error: { code?: string }) => error.code);
    await asked;
    expect(world.refreshes()).toBe(0);
    await world.client.cancel();
    expect(await pending).toBe('cancelled');
  });

  it('hears of it at once where the store tells of changes (OUT-01, STO-02)', async () => {
    const world = await signedOut({ store: (clock) => memoryStore({ clock }) });
    const before = world.operations();
    expect(await world.client.accessToken()).toBeUndefined();
    expect(world.operations()).toBe(before);
  });
});
