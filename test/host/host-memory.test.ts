import { describe, expect, it } from 'vitest';
import type { UserNeeded } from '../../src/host/host-options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { type HostedScene, hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { CALL } from '../helpers/scripted-client.ts';
import { failureOfCall, settled } from '../helpers/waiting.ts';

const MINUTE_MS = 60_000;

const clientOf = ({ host, servers }: HostedScene, account: string) => host.client({ resource: servers.resource.url, account });
const call = (world: HostedScene, account: string): Promise<Response> => clientOf(world, account).fetch(world.servers.resource.url, CALL);
const asked = ({ servers }: HostedScene): number => servers.requests.filter(({ purpose }) => purpose === 'authorization').length;

async function signedIn(world: HostedScene, ...accounts: readonly string[]): Promise<void> {
  for (const account of accounts) {
    const answer = await world.host.handleCallback(await world.approve(await urlToApprove(world.host, account, world), account));
    if (answer.status !== 200) throw new Error(await answer.text());
  }
}

describe('a client that nobody uses', () => {
  it('leaves memory, and is signed in as before when it is used again (RES-06)', async () => {
    const world = hostedScene();
    await signedIn(world, 'ann');
    const client = clientOf(world, 'ann');
    const before = [client.status, client.progress];
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(0);
    expect([client.status, client.progress]).toEqual(before);
    expect((await client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.host.loadedClients).toBe(1);
    expect(asked(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('stays for its idle time, counted from the last use (RES-06)', async () => {
    const world = hostedScene({ host: { idleMs: 10_000 } });
    await signedIn(world, 'ann');
    for (let times = 0; times < 5; times += 1) {
      await world.clock.advance(9_000);
      expect((await call(world, 'ann')).status).toBe(200);
    }
    expect(world.host.loadedClients).toBe(1);
    await world.clock.advance(20_000);
    expect(world.host.loadedClients).toBe(0);
  });

  it('leaves nothing behind: no timer, no client, and a host that is asked nothing has none either (RES-05)', async () => {
    const world = hostedScene();
    await signedIn(world, 'ann', 'bob');
    await urlToApprove(world.host, 'cid', world);
    expect(world.clock.sleeping).toBeGreaterThan(0);
    await world.clock.advance(2 * MINUTE_MS);
    expect([world.host.loadedClients, world.clock.sleeping]).toEqual([0, 0]);
    // The next one is looked after again.
    await call(world, 'ann');
    await world.clock.advance(2 * MINUTE_MS);
    expect([world.host.loadedClients, world.clock.sleeping]).toEqual([0, 0]);
  });

  it('and waits for its user keeps page and deadline, also after the client has left memory (RES-05, RES-06)', async () => {
    const needed: UserNeeded[] = [];
    const world = hostedScene({ host: { onUserNeeded: (user) => void needed.push(user) } });
    const client = clientOf(world, 'ann');
    const before = await client.beginAuthorization();
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(0);
    expect(client.status).toEqual(before);
    expect(await client.beginAuthorization()).toEqual(before);
    expect(needed.map(({ account, authorizationUrl, isResumed }) => ({ account, authorizationUrl, isResumed }))).toEqual([
      { account: 'ann', authorizationUrl: urlOf(before), isResumed: false },
      { account: 'ann', authorizationUrl: urlOf(before), isResumed: true },
    ]);
    await world.clock.advance(6 * MINUTE_MS);
    // The deadline of the first page has passed: whoever asks now gets another.
    expect(urlOf(await client.beginAuthorization())).not.toBe(urlOf(before));
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
  });

  it('and waits for its user is not told twice that they are needed, when they are back already (RES-06)', async () => {
    const needed: UserNeeded[] = [];
    const world = hostedScene({ host: { onUserNeeded: (user) => void needed.push(user) } });
    const url = await urlToApprove(world.host, 'ann', world);
    await world.clock.advance(2 * MINUTE_MS);
    expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
    expect(needed).toHaveLength(1);
  });

  it('can be cancelled in the store, too (RES-06)', async () => {
    const world = hostedScene();
    const url = await urlToApprove(world.host, 'ann', world);
    await world.clock.advance(2 * MINUTE_MS);
    await clientOf(world, 'ann').cancel();
    expect(clientOf(world, 'ann').status.step).toBe('cancelled');
    expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(400);
  });
});

describe('a client that somebody uses', () => {
  it('stays while a request waits for its user, however long (FET-06)', async () => {
    const world = hostedScene();
    const pending = call(world, 'ann');
    const url = await urlToApprove(world.host, 'ann', world);
    await world.clock.advance(9 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(1);
    await world.host.handleCallback(await world.approve(url, 'ann'));
    expect((await pending).status).toBe(200);
  });

  it('stays while its flow is at work for nobody: what was begun is not dropped (RES-02)', async () => {
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const world = hostedScene();
    world.servers.respond('server-metadata', async (_request, proceed) => gate.then(proceed));
    const over = new AbortController();
    const begun = clientOf(world, 'ann').beginAuthorization({ signal: over.signal });
    await settled();
    over.abort(new Error('enough'));
    await expect(begun).rejects.toThrow('enough');
    await world.clock.advance(10_000);
    expect(world.host.loadedClients).toBe(1);
    letGo();
    await urlToApprove(world.host, 'ann', world);
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(0);
  });

  it('stays while someone subscribes to its status, through whichever object, and leaves after that (OBS-02)', async () => {
    const world = hostedScene();
    const seen: string[] = [];
    const other: string[] = [];
    const stop = clientOf(world, 'ann').subscribe(({ step }) => seen.push(step));
    const stopOther = clientOf(world, 'ann').subscribe(({ step }) => other.push(step));
    await signedIn(world, 'ann');
    await world.clock.advance(10 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(1);
    expect(seen).toEqual(expect.arrayContaining(['discovering', 'awaiting-user', 'exchanging', 'authorized']));
    expect(other).toEqual(seen);
    stop();
    stop();
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(1);
    stopOther();
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(0);
  });

  it('stays while it holds the only copy of its tokens: the store did not take them (RFR-07)', async () => {
    let broken = breakableStore(memoryStore());
    const world = hostedScene({
      store: (clock) => {
        broken = breakableStore(memoryStore({ clock }));
        return broken.store;
      },
    });
    const url = await urlToApprove(world.host, 'ann', world);
    broken.breakWrites((key) => key.startsWith('credential/'));
    await world.host.handleCallback(await world.approve(url, 'ann'));
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(1);
    expect((await call(world, 'ann')).status).toBe(200);
    expect(asked(world)).toBe(1);
  });

  it('is one client for all calls that need it at once, loaded or not (FET-06)', async () => {
    const world = hostedScene();
    const calls = Array.from({ length: 10 }, () => call(world, 'ann'));
    const url = await urlToApprove(world.host, 'ann', world);
    expect(world.host.loadedClients).toBe(1);
    await world.host.handleCallback(await world.approve(url, 'ann'));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect([asked(world), world.servers.requestsFor('registration').length]).toEqual([1, 1]);
  });

  it('is the same object while it is in memory, and an older one works as well (STO-04)', async () => {
    const world = hostedScene();
    const older = clientOf(world, 'ann');
    await signedIn(world, 'ann');
    await world.clock.advance(2 * MINUTE_MS);
    await call(world, 'ann');
    expect(clientOf(world, 'ann')).toBe(clientOf(world, 'ann'));
    expect(older.status.step).toBe('authorized');
    expect((await older.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.host.loadedClients).toBe(1);
  });
});

describe('the maximum of clients in memory', () => {
  it('makes room by what was not used for the longest time (RES-06)', async () => {
    const world = hostedScene({ host: { maxClients: 2 } });
    await signedIn(world, 'ann', 'bob', 'cid');
    expect(world.host.loadedClients).toBe(2);
    await call(world, 'bob');
    await call(world, 'ann');
    expect(world.host.loadedClients).toBe(2);
    // What is in memory shows its status without being asked to read the store.
    expect(['ann', 'bob', 'cid'].map((account) => clientOf(world, account).status.step)).toEqual(['authorized', 'authorized', 'idle']);
    for (const account of ['cid', 'bob', 'ann', 'cid']) expect((await call(world, account)).status).toBe(200);
    expect(asked(world)).toBe(3);
  });

  it('holds while many are needed at once, and everyone is served (RES-06)', async () => {
    const accounts = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const world = hostedScene({ host: { maxClients: 3 } });
    await signedIn(world, ...accounts);
    let most = 0;
    const statuses: number[] = [];
    await Promise.all(
      [0, 1, 2].map(async (lane) => {
        for (const account of accounts.filter((_, index) => index % 3 === lane)) {
          statuses.push((await call(world, account)).status);
          most = Math.max(most, world.host.loadedClients);
        }
      }),
    );
    expect(statuses).toEqual(Array(20).fill(200));
    expect(most).toBe(3);
  });

  it('is told at once where all are at work, and nothing was begun (FET-07)', async () => {
    const world = hostedScene({ host: { maxClients: 1 } });
    const pending = call(world, 'ann');
    const url = await urlToApprove(world.host, 'ann', world);
    const requests = world.servers.requests.length;
    expect(await failureOfCall(call(world, 'bob'))).toMatchObject({ code: 'host_busy', retryable: true });
    expect(world.servers.requests).toHaveLength(requests);
    await world.host.handleCallback(await world.approve(url, 'ann'));
    expect((await pending).status).toBe(200);
    expect((await clientOf(world, 'bob').beginAuthorization()).step).toBe('awaiting-user');
  });

  it('does not hold back a callback: its user is here, and others wait for it (RES-06)', async () => {
    const world = hostedScene({ host: { maxClients: 1 } });
    const url = await urlToApprove(world.host, 'ann', world);
    const pending = call(world, 'bob');
    const bobs = await urlToApprove(world.host, 'bob', world);
    expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
    expect((await world.host.handleCallback(await world.approve(bobs, 'bob'))).status).toBe(200);
    expect((await pending).status).toBe(200);
    // What was needed beyond the maximum has gone again.
    expect(world.host.loadedClients).toBe(1);
  });
});

describe('a client on its way out', () => {
  it('is waited for by whoever needs it again: one flow is never open twice in a worker (RES-06)', async () => {
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const world = hostedScene({
      store: (clock) => {
        const store = memoryStore({ clock });
        return { ...store, delete: (...parameters) => gate.then(() => store.delete(...parameters)) };
      },
    });
    // The attempt that is over is still being deleted.
    await signedIn(world, 'ann');
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.host.loadedClients).toBe(0);
    const responses = [call(world, 'ann'), call(world, 'ann')];
    await settled();
    expect(world.host.loadedClients).toBe(0);
    letGo();
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200]);
    expect([world.host.loadedClients, asked(world)]).toEqual([1, 1]);
  });
});

describe('closing a host', () => {
  it('ends what waits, refuses what comes, and loses no login (RES-06)', async () => {
    const world = hostedScene();
    const pending = failureOfCall(call(world, 'ann'));
    const url = await urlToApprove(world.host, 'ann', world);
    await world.host.close();
    expect((await pending).code).toBe('closed');
    expect((await failureOfCall(call(world, 'ann'))).code).toBe('closed');
    const answer = await world.host.handleCallback(await world.approve(url, 'ann'));
    expect([answer.status, (await answer.text()).includes('Load this page again')]).toEqual([503, true]);
    expect([world.host.loadedClients, world.clock.sleeping]).toEqual([0, 0]);
    expect((await world.worker().handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
  });
});

const urlOf = (status: { readonly step: string; readonly authorizationUrl?: string }): string => status.authorizationUrl ?? status.step;
