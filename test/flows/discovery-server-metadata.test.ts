import { describe, expect, it } from 'vitest';
import { htmlPage, networkFails } from '../fixtures/scripted/bad-answers.ts';
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

describe('a resource without protected resource metadata', () => {
  const legacy = { resource: { metadataAt: [] }, authorizationServer: { issuer: 'https://mcp.example.com' } } as const;

  it('is its own authorization server, with the metadata at its origin (PRM-05)', async () => {
    const world = scene(legacy);
    expect((await call(world)).status).toBe(200);
    expect(world.servers.wire()).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 404',
      'GET /.well-known/oauth-protected-resource 404',
      'GET /.well-known/oauth-authorization-server 200',
      'POST /register 201',
      'POST /token 200',
      'POST /mcp 200',
    ]);
    expect(world.client.status.issuer).toBe('https://mcp.example.com');
    expect(world.servers.violations).toEqual([]);
  });

  it('uses /authorize, /token and /register there if that has no metadata either (PRM-05)', async () => {
    const world = scene({ ...legacy, authorizationServer: { ...legacy.authorizationServer, metadataAt: [], issAdvertised: undefined } });
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requests.filter(({ purpose }) => purpose === 'authorization').map(({ url }) => url.pathname)).toEqual([
      '/authorize',
    ]);
    expect(world.servers.wire().slice(-4)).toEqual([
      'GET /.well-known/openid-configuration 404',
      'POST /register 201',
      'POST /token 200',
      'POST /mcp 200',
    ]);
    expect(world.servers.violations).toEqual([]);
  });

  it('is treated alike if its metadata names no authorization server (PRM-05)', async () => {
    const world = scene({ ...legacy, resource: { metadata: (document: Document) => ({ ...document, authorization_servers: undefined }) } });
    expect((await call(world)).status).toBe(200);
    expect(world.client.status.issuer).toBe('https://mcp.example.com');
  });

  it('is not treated so if its metadata names a server that has none: that fails, naming it (PRM-05)', async () => {
    const world = scene({ authorizationServer: { metadataAt: [] } });
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'no_authorization_server',
      details: { issuer: 'https://login.example.com' },
    });
    expect(world.servers.wire().some((line) => line.includes('/register'))).toBe(false);
  });
});

describe('where authorization server metadata is looked for', () => {
  const tenant = 'https://login.example.com/tenant';
  it.each([
    ['oauth', ['/.well-known/oauth-authorization-server/tenant 200']],
    ['oidc-inserted', ['/.well-known/oauth-authorization-server/tenant 404', '/.well-known/openid-configuration/tenant 200']],
    [
      'oidc-appended',
      [
        '/.well-known/oauth-authorization-server/tenant 404',
        '/.well-known/openid-configuration/tenant 404',
        '/tenant/.well-known/openid-configuration 200',
      ],
    ],
  ] as const)(
    'for an issuer with a path: RFC 8414 inserted, OpenID inserted, OpenID appended; here %s (ASM-01)',
    async (location, expected) => {
      const world = scene({ authorizationServer: { issuer: tenant, metadataAt: [location] } });
      expect((await call(world)).status).toBe(200);
      expect(looks(world)).toEqual(expected.map((line) => `https://login.example.com${line}`));
      expect(world.servers.violations).toEqual([]);
    },
  );

  it('for an issuer without a path: RFC 8414, then OpenID (ASM-01)', async () => {
    const world = scene({ authorizationServer: { metadataAt: ['oidc-appended'] } });
    expect((await call(world)).status).toBe(200);
    expect(looks(world).map((line) => new URL(line).pathname)).toEqual([
      '/.well-known/oauth-authorization-server%20404',
      '/.well-known/openid-configuration%20200',
    ]);
  });

  it('takes from the OpenID location a document that has only what OAuth needs (ASM-06)', async () => {
    const metadata = ({
      issuer,
      authorization_endpoint,
      token_endpoint,
      registration_endpoint,
      code_challenge_methods_supported,
    }: Document) => ({
      issuer,
      authorization_endpoint,
      token_endpoint,
      registration_endpoint,
      code_challenge_methods_supported,
    });
    const world = scene({ authorizationServer: { metadataAt: ['oidc-appended'], metadata, issAdvertised: undefined } });
    expect((await call(world)).status).toBe(200);
  });

  it.each<[string, Parameters<Scene['servers']['respond']>[1]]>([
    ['404', 404],
    ['502 of a gateway', 502],
    ['an HTML page', htmlPage],
    ['JSON that is no metadata', () => Response.json({ hello: 'world' })],
  ])('goes to the next place after %s (ASM-02)', async (_what, answer) => {
    const world = scene({ authorizationServer: { metadataAt: ['oauth', 'oidc-appended'] } });
    world.servers.respond('/.well-known/oauth-authorization-server', answer);
    expect((await call(world)).status).toBe(200);
    expect(looks(world)).toHaveLength(2);
  });

  it('stops at a 500, after bounded tries, with a retryable error (ASM-02)', async () => {
    const world = scene({ authorizationServer: { metadataAt: ['oauth', 'oidc-appended'] } });
    world.servers.respond('/.well-known/oauth-authorization-server', 500, { times: 99 });
    const failure = await failureOfCall(whileTimePasses(world.clock, call(world)));
    expect(failure).toMatchObject({ code: 'server_unavailable', phase: 'server-metadata', retryable: true });
    expect(looks(world)).toEqual(Array(3).fill('https://login.example.com/.well-known/oauth-authorization-server 500'));
  });
});

describe('metadata that may not be used', () => {
  it.each(['https://evil.example.com', 'https://login.example.com/', 'https://LOGIN.example.com', 'https://login.example.com:443'])(
    'because it names the issuer %s (ASM-03)',
    async (issuer) => {
      const world = scene({ authorizationServer: { metadata: (document) => ({ ...document, issuer }) } });
      expect(await failureOfCall(call(world))).toMatchObject({
        code: 'issuer_mismatch',
        details: { expected: 'https://login.example.com', received: issuer },
      });
      expect(world.user.shown).toEqual([]);
      expect(world.servers.requestsFor('registration')).toEqual([]);
    },
  );

  it('tolerates the trailing slash of a path-less issuer, if configured for it (ASM-03)', async () => {
    const slashed = (document: Document) => ({ ...document, issuer: 'https://login.example.com/' });
    const issuers = { 'https://login.example.com': { tolerateTrailingSlash: true } };
    const world = scene({ authorizationServer: { metadata: slashed, iss: 'https://login.example.com/' }, client: { issuers } });
    expect((await call(world)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
    const foreign = scene({
      authorizationServer: { metadata: (document) => ({ ...document, issuer: 'https://evil.example.com/' }) },
      client: { issuers },
    });
    expect(await failureOfCall(call(foreign))).toMatchObject({ code: 'issuer_mismatch' });
  });

  const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'registration_endpoint'];
  const UNSAFE = ['javascript:alert(document.domain)', 'http://login.example.com/x', 'data:text/html,x', 'file:///etc/passwd', 7];
  it.each(ENDPOINTS.flatMap((endpoint) => UNSAFE.map((url) => [endpoint, url] as const)))(
    'because its %s is %s (ASM-04)',
    async (endpoint, url) => {
      const world = scene({ authorizationServer: { metadata: (document) => ({ ...document, [endpoint]: url }) } });
      expect(await failureOfCall(call(world))).toMatchObject({ code: 'endpoint_refused', action: 'report-to-server' });
      expect(world.user.shown).toEqual([]);
      expect(world.servers.wire()).toHaveLength(3);
    },
  );

  it.each<[string, readonly string[] | undefined]>([
    ['does not say that it supports PKCE', undefined],
    ['supports plain PKCE only', ['plain']],
  ])('because the server %s (ASM-05)', async (_what, codeChallengeMethods) => {
    const world = scene({ authorizationServer: { codeChallengeMethods } });
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'pkce_not_supported',
      details: { issuer: 'https://login.example.com' },
    });
    expect(world.user.shown).toEqual([]);
  });

  it('is used in spite of a missing code_challenge_methods_supported where the embedder vouches for the issuer (ASM-05)', async () => {
    const world = scene({
      authorizationServer: { codeChallengeMethods: undefined },
      client: { issuers: { 'https://login.example.com': { assumePkce: true } } },
    });
    expect((await call(world)).status).toBe(200);
    // PKCE is sent all the same.
    expect(world.servers.violations).toEqual([]);
  });
});
