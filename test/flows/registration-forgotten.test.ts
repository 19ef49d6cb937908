import { describe, expect, it } from 'vitest';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

describe('a stored registration that the authorization server has forgotten', () => {
  it('shows on a page only the user sees: when nobody comes back from it, the next attempt registers anew (REG-06)', async () => {
    let isRefused = false;
    const world = scene({ act: (servers, url) => (isRefused ? undefined : servers.approve(url)) });
    await world.client.authorize();
    await world.client.signOut();
    world.servers.authorizationServer.forgetRegistrations();

    isRefused = true;
    const failed = failureOfCall(world.client.fetch(world.servers.resource.url, CALL));
    await untilStep(world.client, 'awaiting-user');
    await world.clock.advance(11 * 60_000);
    expect(await failed).toMatchObject({ code: 'authorization_expired' });

    isRefused = false;
    expect((await world.client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.servers.requestsFor('registration')).toHaveLength(2);
    expect(world.servers.violations).toEqual([]);
  });

  it('is kept while a credential needs it, though nobody answered a step-up (REG-06)', async () => {
    let isAway = false;
    const world = scene({
      resource: { scopesFor: ({ url }) => (url.pathname.endsWith('/write') ? ['write'] : ['read']) },
      act: (servers, url) => (isAway ? undefined : servers.approve(url)),
    });
    await world.client.fetch(world.servers.resource.url, CALL);
    isAway = true;
    const failed = failureOfCall(world.client.fetch(`${world.servers.resource.url}/write`, CALL));
    await untilStep(world.client, 'awaiting-user');
    await world.clock.advance(11 * 60_000);
    expect(await failed).toMatchObject({ code: 'authorization_expired' });

    world.servers.authorizationServer.expireAccessTokens();
    expect((await world.client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
