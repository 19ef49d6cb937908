import { describe, expect, it } from 'vitest';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { failureOfCall } from '../helpers/waiting.ts';

describe('a 401', () => {
  it('is answered by the flow, and the request is sent again exactly once (FET-04)', async () => {
    const { client, servers, user } = scene();
    await client.authorize();
    servers.authorizationServer.expireAccessTokens();
    const sent = servers.requestsFor('resource').length;
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(
      servers
        .requestsFor('resource')
        .slice(sent)
        .map(({ status, body }) => [status, body]),
    ).toEqual([
      [401, CALL.body],
      [200, CALL.body],
    ]);
    expect(user.shown).toHaveLength(1);
  });

  it('on the fresh token ends in a coded error, not in a loop (FET-04)', async () => {
    const { client, servers, user } = scene({ resource: { acceptsTokens: false } });
    const failure = await failureOfCall(client.fetch(`${servers.resource.url}?key=SECRET-query`, CALL));
    expect(failure).toMatchObject({
      code: 'access_token_rejected',
      action: 'report-to-server',
      details: { status: 401, url: servers.resource.url },
    });
    expect(servers.requestsFor('resource').map(({ status }) => status)).toEqual([401, 401]);
    expect(servers.requestsFor('token')).toHaveLength(1);
    expect(user.shown).toHaveLength(1);
  });

  it('for ever costs twenty requests at once one authorization and one rejection each (FET-04, FET-06)', async () => {
    const { client, servers, user } = scene({ resource: { acceptsTokens: false } });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => failureOfCall(client.fetch(servers.resource.url, CALL))));
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['access_token_rejected']));
    expect(servers.requestsFor('resource')).toHaveLength(40);
    expect(servers.requestsFor('token')).toHaveLength(1);
    expect(user.shown).toHaveLength(1);
  });

  it('after a refreshed token was rejected leads to a login, not to another refresh of it (FET-04, RFR-01)', async () => {
    const { client, servers, user } = scene();
    await client.authorize();
    servers.authorizationServer.expireAccessTokens();
    servers.resource.options.acceptsTokens = false;
    expect((await failureOfCall(client.fetch(servers.resource.url, CALL))).code).toBe('access_token_rejected');
    servers.resource.options.acceptsTokens = true;
    servers.authorizationServer.expireAccessTokens();
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
      'authorization_code',
    ]);
    expect(user.shown).toHaveLength(2);
  });

  it('that the user refused is a failure for this request; the next one asks again (FET-04)', async () => {
    let refusals = 1;
    const { client, servers, user } = scene({ act: (on, url) => (refusals-- > 0 ? on.deny(url) : on.approve(url)) });
    expect(await failureOfCall(client.fetch(servers.resource.url, CALL))).toMatchObject({ code: 'authorization_denied', retryable: false });
    expect(client.status.step).toBe('failed');
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(user.shown).toHaveLength(2);
    expect(servers.violations).toEqual([]);
  });
});

describe('a 403', () => {
  it.each([
    ['without a challenge', undefined],
    ['with another error', 'Bearer error="access_denied"'],
    ['with a Basic challenge', 'Basic realm="x", error="insufficient_scope"'],
    ['with the words in a description only', 'Bearer error_description="insufficient_scope"'],
  ])('%s is handed back as it came (FET-08)', async (_, challenge) => {
    const { client, servers, user } = scene({
      resource: {
        answer: () =>
          new Response('not you', { status: 403, ...(challenge !== undefined && { headers: { 'www-authenticate': challenge } }) }),
      },
    });
    const response = await client.fetch(servers.resource.url, CALL);
    expect([response.status, await response.text()]).toEqual([403, 'not you']);
    expect(servers.requestsFor('resource')).toHaveLength(2);
    expect(user.shown).toHaveLength(1);
    expect(client.status.step).toBe('authorized');
  });

  it('with insufficient_scope starts a step-up (FET-08)', async () => {
    const { client, servers, user } = scene({
      resource: { scopesFor: ({ method }) => (method === 'DELETE' ? ['write'] : []), challengeScopes: undefined },
    });
    await client.fetch(servers.resource.url, CALL);
    expect((await client.fetch(servers.resource.url, { method: 'DELETE' })).status).toBe(200);
    expect(user.shown).toHaveLength(2);
    expect(client.status).toMatchObject({ step: 'authorized', grantedScopes: ['write'] });
  });

  it('with insufficient_scope to a request that carried no token is handed back (FET-08)', async () => {
    const { client, servers, user } = scene();
    servers.respond(
      'resource',
      () => new Response(null, { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' } }),
    );
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(403);
    expect(user.shown).toEqual([]);
  });
});
