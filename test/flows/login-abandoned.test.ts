/** A login that nobody came back from, met weeks later: by then only the attempt's own record is left of it. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { signedIn } from '../helpers/signed-in-scene.ts';
import { settled, untilStep } from '../helpers/waiting.ts';

/** Longer than the store keeps the server metadata of a login that waits. */
const LONG_AFTER_MS = 31 * 24 * 3_600_000;

const call = (client: AuthorizationClient, { servers }: Pick<Scene, 'servers'>): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);

/** Its process ends while the user is away. */
async function abandon({ client, clock }: Scene, request: Promise<unknown>): Promise<void> {
  request.catch(() => {});
  await untilStep(client, 'awaiting-user');
  await settled();
  await client.close();
  await clock.advance(LONG_AFTER_MS);
}

describe('a login abandoned a month ago', () => {
  it('is nothing to any process that comes after it: each restores, and the next request asks anew (RES-02, RES-05)', async () => {
    const world = scene({ act: () => undefined });
    await abandon(world, call(world.client, world));
    for (let processes = 0; processes < 2; processes += 1) {
      const command = world.another();
      expect(await command.restore()).toMatchObject({ step: 'unauthorized' });
      await command.close();
    }
    const command = world.another();
    const asked = call(command, world);
    const { authorizationUrl } = await untilStep(command, 'awaiting-user');
    await command.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await asked).toBe(200);
    expect(world.user.shown).toHaveLength(2);
    expect(world.servers.violations).toEqual([]);
  });

  it('for more scopes leaves the credential to every process that comes after it (RES-02, SCO-04)', async () => {
    const world = await signedIn({
      authorizationServer: { accessTokenSeconds: 90 * 24 * 3_600 },
      resource: { scopesFor: ({ url }) => url.pathname.split('/').slice(2) },
      act: (servers, url) => (url.includes('write') ? undefined : servers.approve(url)),
    });
    await abandon(world, world.client.fetch(`${world.servers.resource.url}/write`, CALL));
    const requests = world.servers.requestsFor('token').length;
    for (let processes = 0; processes < 2; processes += 1) {
      const command = world.another();
      expect(await call(command, world)).toBe(200);
      await command.close();
    }
    expect(world.servers.requestsFor('token')).toHaveLength(requests);
    expect(world.servers.violations).toEqual([]);
  });

  it('is nothing to a host, in whatever worker its user comes back (RES-02)', async () => {
    const world = hostedScene();
    const before = await urlToApprove(world.host, 'ann', world);
    await world.clock.advance(LONG_AFTER_MS);
    const after = await urlToApprove(world.worker(), 'ann', world);
    expect(after).not.toBe(before);
    expect((await world.host.handleCallback(await world.approve(after, 'ann'))).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
