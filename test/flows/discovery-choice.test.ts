import { describe, expect, it } from 'vitest';
import { networkFails } from '../fixtures/scripted/bad-answers.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import type { Responder } from '../fixtures/scripted/overrides.ts';
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

/** Paths of the authorization server's metadata that were asked for, with the answers. */
const looks = ({ servers }: Scene): readonly string[] =>
  servers
    .requestsFor()
    .filter(({ url }) => /oauth-authorization-server|openid-configuration/.test(url.pathname))
    .map(({ url, status }) => `${url.origin}${url.pathname} ${status ?? 'failed'}`);

const withJavascriptEndpoint: Responder = async (_request, proceed) => {
  const document = (await (await proceed()).json()) as Document;
  return Response.json({ ...document, token_endpoint: 'javascript:alert(1)' });
};

describe('several authorization servers', () => {
  const two = { moreAuthorizationServers: [{ issuer: 'https://second.example.com' }] };

  it('are tried in the order of the document: the first that can be used is (PRM-04)', async () => {
    const world = scene(two);
    await call(world);
    expect(world.client.status.issuer).toBe('https://login.example.com');
    expect(looks(world)).toEqual(['https://login.example.com/.well-known/oauth-authorization-server 200']);
  });

  const isFirst = ({ url }: { readonly url: URL }): boolean => url.hostname === 'login.example.com';
  it.each<[string, (servers: ScriptedServers) => void]>([
    ['publishes no metadata', (servers) => Object.assign(servers.authorizationServer.options, { metadataAt: [] })],
    ['does not support PKCE', (servers) => Object.assign(servers.authorizationServer.options, { codeChallengeMethods: ['plain'] })],
    ['names another issuer', (servers) => servers.respond(isFirst, () => Response.json({ issuer: 'https://other.example' }))],
    ['names endpoints that cannot be used', (servers) => servers.respond(isFirst, withJavascriptEndpoint)],
    ['cannot be reached', (servers) => servers.respond(isFirst, networkFails, { times: 99 })],
    ['answers 500', (servers) => servers.respond(isFirst, 500, { times: 99 })],
  ])('go on with the second where the first %s (PRM-04)', async (_what, breakFirst) => {
    const world = scene(two);
    breakFirst(world.servers);
    const response = await whileTimePasses(world.clock, call(world));
    expect(response.status).toBe(200);
    expect(world.client.status).toMatchObject({ step: 'authorized', issuer: 'https://second.example.com' });
    expect(world.client.status.warning).toBeUndefined();
    expect(world.servers.violations).toEqual([]);
  });

  it.each(['javascript:alert(1)', 'http://plain.example.com', 'https://a.example.com/?tenant=1', 'not a URL', 'ftp://x.example.com'])(
    'go on with the second where the first identifier cannot be one: %s (PRM-04, ASM-04)',
    async (identifier) => {
      const world = scene({ resource: { authorizationServers: [identifier, 'https://login.example.com'] } });
      expect((await call(world)).status).toBe(200);
      expect(world.client.status.issuer).toBe('https://login.example.com');
      expect(world.servers.requests.filter(({ purpose }) => purpose === 'elsewhere')).toEqual([]);
    },
  );

  it('end with the failure of the last if none can be used (PRM-04)', async () => {
    const world = scene(two);
    for (const server of world.servers.authorizationServers) server.options.codeChallengeMethods = undefined;
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'pkce_not_supported',
      details: { issuer: 'https://second.example.com' },
    });
  });

  it('are chosen from by the embedder, if it says so (PRM-04)', async () => {
    const asked: (readonly string[])[] = [];
    const chooseAuthorizationServer = async (issuers: readonly string[]) => {
      asked.push(issuers);
      return 'https://second.example.com';
    };
    const world = scene({ ...two, client: { chooseAuthorizationServer } });
    await call(world);
    expect(world.client.status.issuer).toBe('https://second.example.com');
    expect(asked).toEqual([['https://login.example.com', 'https://second.example.com']]);
    expect(looks(world)).toHaveLength(1);
  });

  it('refuse a choice that the resource does not name (PRM-04)', async () => {
    const world = scene({ ...two, client: { chooseAuthorizationServer: () => 'https://mine.example.com' } });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'invalid_configuration' });
    expect(looks(world)).toEqual([]);
  });

  it('leave an account with the issuer it is bound to, wherever that stands in the list (PRM-04)', async () => {
    const world = scene({ ...two, resource: { authorizationServers: ['https://second.example.com'] } });
    await call(world);
    world.servers.resource.options.authorizationServers = ['https://login.example.com', 'https://second.example.com'];
    world.servers.authorizationServers[1]?.expireAccessTokens();
    world.servers.authorizationServers[1]?.revokeRefreshTokens();
    const another = world.another();
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(another.status.issuer).toBe('https://second.example.com');
    expect(world.servers.authorizationServer.registeredClients).toEqual([]);
    expect(world.servers.violations).toEqual([]);
  });
});
