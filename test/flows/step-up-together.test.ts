import { describe, expect, it } from 'vitest';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep } from '../helpers/waiting.ts';

async function stage(options: SceneOptions = {}) {
  const staged = scene({ ...options, resource: { scopesFor: ({ url }) => url.pathname.split('/')[2]?.split('+').filter(Boolean) ?? [] } });
  const call = async (scopes = ''): Promise<number> => (await staged.client.fetch(`${staged.servers.resource.url}/${scopes}`, CALL)).status;
  await call('read');
  return { ...staged, call, asked: () => staged.user.shown.map((url) => new URL(url).searchParams.get('scope')) };
}

/** The first page is approved; after that the test acts. */
const onceApproved = (): SceneOptions => {
  let approvals = 1;
  return { act: (on, url) => (approvals-- > 0 ? on.approve(url) : undefined) };
};

describe('requests that need more scopes at once', () => {
  it('share one step-up for the same scopes (SCO-07)', async () => {
    const { call, user, servers } = await stage();
    expect(await Promise.all(Array.from({ length: 10 }, () => call('write')))).toEqual(Array(10).fill(200));
    expect(user.shown).toHaveLength(2);
    expect(servers.violations).toEqual([]);
  });

  it('each get theirs for different scopes, the later including the earlier (SCO-07, SCO-04)', async () => {
    const { call, asked } = await stage();
    expect(await Promise.all([call('a'), call('b'), call('c'), call('d'), call('e')])).toEqual([200, 200, 200, 200, 200]);
    expect(asked()).toHaveLength(6);
    expect(asked().at(-1)?.split(' ').sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'read']);
    expect(await call('a+b+c+d+e')).toBe(200);
  });

  it('use the token another request has stepped up to meanwhile (SCO-07)', async () => {
    const { call, client, servers, user } = await stage(onceApproved());
    const first = call('write+admin');
    const { authorizationUrl } = await untilStep(client, 'awaiting-user');
    const others = [call('write'), call('admin')];
    await settled();
    await client.completeAuthorization(await servers.approve(authorizationUrl));
    expect(await Promise.all([first, ...others])).toEqual([200, 200, 200]);
    expect(user.shown).toHaveLength(2);
  });

  it('use the token that another process has stepped up to (SCO-07)', async () => {
    const { call, another, servers, user } = await stage();
    const other = another();
    await other.restore();
    expect(await call('write')).toBe(200);
    expect((await other.fetch(`${servers.resource.url}/write`, CALL)).status).toBe(200);
    expect(user.shown).toHaveLength(2);
  });

  it('share the refusal of the user for the same scopes only (SCO-07, FET-06)', async () => {
    let decisions = ['approve', 'deny', 'approve'];
    const { call, user } = await stage({
      act: (on, url) => {
        const [decision] = decisions;
        decisions = decisions.slice(1);
        return decision === 'deny' ? on.deny(url) : on.approve(url);
      },
    });
    const outcomes = await Promise.all([failureOfCall(call('write')), failureOfCall(call('write')), call('other')]);
    expect(outcomes).toMatchObject([{ code: 'authorization_denied' }, { code: 'authorization_denied' }, 200]);
    expect(user.shown).toHaveLength(3);
  });
});

describe('other requests while the user decides about a step-up', () => {
  it('go on with the token that is there (SCO-07)', async () => {
    const { call, client } = await stage(onceApproved());
    call('write').catch(() => {});
    await untilStep(client, 'awaiting-user');
    expect(await call('read')).toBe(200);
    expect(client.status.step).toBe('awaiting-user');
  });

  it('go on with it also when it is about to expire (SCO-07, FET-09)', async () => {
    const { call, client, clock } = await stage(onceApproved());
    await clock.advance(3_569_000);
    call('write').catch(() => {});
    await untilStep(client, 'awaiting-user');
    await clock.advance(5_000);
    expect(await call('read')).toBe(200);
  });

  it('are refreshed and not refused after the user has refused the step-up (SCO-07, RFR-01)', async () => {
    const { call, client, servers, user } = await stage(onceApproved());
    const refused = failureOfCall(call('write'));
    const { authorizationUrl } = await untilStep(client, 'awaiting-user');
    await settled();
    servers.authorizationServer.expireAccessTokens();
    const expired = call('read');
    await settled();
    await client.completeAuthorization(await servers.deny(authorizationUrl)).catch(() => {});
    expect((await refused).code).toBe('authorization_denied');
    expect(await expired).toBe(200);
    expect(user.shown).toHaveLength(2);
    expect(servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual(['authorization_code', 'refresh_token']);
  });
});
