/** Workers that follow a login which another worker has under way. */
import { expect, it } from 'vitest';
import { hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { whileTimePasses } from '../helpers/waiting.ts';

it('a callback that comes to a worker which follows the login is answered when that is complete (RES-06)', async () => {
  const world = hostedScene();
  const other = world.worker();
  const client = other.client({ resource: world.servers.resource.url, account: 'ann' });
  // Its store was read before there was anything to find: it knows of the attempt by following alone.
  await client.restore();
  const url = await urlToApprove(world.host, 'ann', world);
  expect(await client.beginAuthorization()).toMatchObject({ step: 'awaiting-other', authorizationUrl: url });
  const answer = await whileTimePasses(world.clock, other.handleCallback(await world.approve(url, 'ann')));
  expect([answer.status, answer.headers.get('location')]).toEqual([200, null]);
  expect(client.status.step).toBe('authorized');
});

it('clients that follow a login for nobody make room for others (RES-06)', async () => {
  const world = hostedScene();
  const full = world.worker({ maxClients: 2 });
  const begin = (account: string) => full.client({ resource: world.servers.resource.url, account }).beginAuthorization();
  for (const account of ['eve-1', 'eve-2']) {
    await urlToApprove(world.host, account, world);
    expect((await begin(account)).step).toBe('awaiting-other');
  }
  expect((await begin('ann')).step).toBe('awaiting-user');
  expect(full.loadedClients).toBe(2);
});

it('a login is cancelled from a worker that rests and has taken no part in it, and its callback is refused (FET-07, RES-06)', async () => {
  const world = hostedScene();
  const idle = world.worker().client({ resource: world.servers.resource.url, account: 'ann' });
  await idle.restore();
  const url = await urlToApprove(world.host, 'ann', world);
  await idle.cancel();
  await world.clock.advance(1_000);
  expect(world.host.client({ resource: world.servers.resource.url, account: 'ann' }).status.step).not.toBe('awaiting-user');
  expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(400);
  expect(world.servers.requestsFor('token')).toEqual([]);
});
