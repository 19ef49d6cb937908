import { describe, expect, it } from 'vitest';
import type { UserNeeded } from '../../src/host/host-options.ts';
import { type HostedScene, hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { CALL } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const MINUTE_MS = 60_000;

const codesSent = ({ servers }: HostedScene): number => servers.requestsFor('token').filter(({ form }) => form.has('code')).length;

/** One worker has a request that waits for its user; another is asked for the same. */
async function twoWorkers(needed: UserNeeded[] = []) {
  const world = hostedScene({ host: { onUserNeeded: (user) => void needed.push(user) } });
  const target = { resource: world.servers.resource.url, account: 'ann' };
  const other = world.worker();
  const pending = world.host.client(target).fetch(target.resource, CALL);
  pending.catch(() => {});
  const url = await urlToApprove(world.host, 'ann', world);
  return { world, target, other, pending, url };
}

describe('two workers that need the same user', () => {
  it('show one page, and tell the user once (AUT-08)', async () => {
    const needed: UserNeeded[] = [];
    const { world, target, other, url } = await twoWorkers(needed);
    const status = await whileTimePasses(world.clock, other.client(target).beginAuthorization());
    expect(status).toMatchObject({ step: 'awaiting-other', authorizationUrl: url });
    expect(needed).toHaveLength(1);
  });

  it('have their login completed by the one that the callback came to, for both (RES-06, AUT-08)', async () => {
    const { world, target, other, pending, url } = await twoWorkers();
    const waiting = other.client(target).fetch(target.resource, CALL);
    const answer = await whileTimePasses(world.clock, other.handleCallback(await world.approve(url, 'ann')));
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('now has the access')]);
    const responses = await whileTimePasses(world.clock, Promise.all([pending, waiting]));
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect([codesSent(world), world.servers.requestsFor('registration').length]).toEqual([1, 1]);
    expect(world.servers.violations).toEqual([]);
  });

  it('lead the browser on together, where the server rejects the code (AUT-09)', async () => {
    const { world, target, other, pending, url } = await twoWorkers();
    world.servers.respond('token', () => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    await whileTimePasses(world.clock, other.client(target).beginAuthorization());
    const answer = await whileTimePasses(world.clock, other.handleCallback(await world.approve(url, 'ann')));
    expect(answer.status).toBe(303);
    const next = answer.headers.get('location') ?? '';
    expect(next).not.toBe(url);
    expect((await whileTimePasses(world.clock, other.handleCallback(await world.approve(next, 'ann')))).status).toBe(200);
    expect((await whileTimePasses(world.clock, pending)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('lose nothing when the one that has the login ends: the other goes on with the same page (RES-02, RES-06)', async () => {
    const needed: UserNeeded[] = [];
    const { world, target, other, pending, url } = await twoWorkers(needed);
    const waiting = other.client(target).fetch(target.resource, CALL);
    await whileTimePasses(world.clock, other.client(target).beginAuthorization());
    await world.host.close();
    expect((await failureOfCall(pending)).code).toBe('closed');
    const answer = await whileTimePasses(world.clock, other.handleCallback(await world.approve(url, 'ann')));
    expect(answer.status).toBe(200);
    expect((await whileTimePasses(world.clock, waiting)).status).toBe(200);
    expect(needed.map(({ isResumed }) => isResumed)).toEqual([false, true]);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('keep in memory only what someone waits for (RES-06)', async () => {
    const { world, target, other, url } = await twoWorkers();
    await whileTimePasses(world.clock, other.client(target).beginAuthorization());
    expect(other.loadedClients).toBe(1);
    await world.clock.advance(2 * MINUTE_MS);
    expect([world.host.loadedClients, other.loadedClients]).toEqual([1, 0]);
    expect(await whileTimePasses(world.clock, other.client(target).beginAuthorization())).toMatchObject({ authorizationUrl: url });
  });

  it('are both told when one cancels (FET-07)', async () => {
    const { world, target, other, pending, url } = await twoWorkers();
    await whileTimePasses(world.clock, other.client(target).cancel());
    expect((await whileTimePasses(world.clock, failureOfCall(pending))).code).toBe('cancelled');
    expect((await whileTimePasses(world.clock, other.handleCallback(await world.approve(url, 'ann')))).status).toBe(400);
    expect(codesSent(world)).toBe(0);
  });
});
