import { describe, expect, it } from 'vitest';
import { htmlPage } from '../fixtures/scripted/bad-answers.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

/** Paths of the authorization server's metadata that were asked for, with the answers. */
const looks = ({ servers }: Scene): readonly string[] =>
  servers
    .requestsFor()
    .filter(({ url }) => /oauth-authorization-server|openid-configuration/.test(url.pathname))
    .map(({ url, status }) => `${url.origin}${url.pathname} ${status ?? 'failed'}`);

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

  it('without any of these is told to publish no metadata, and not to have refused the client (PRM-05)', async () => {
    const world = scene({ ...legacy, authorizationServer: { ...legacy.authorizationServer, metadataAt: [], issAdvertised: undefined } });
    world.servers.respond('registration', 404);
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'no_authorization_server',
      details: { issuer: 'https://mcp.example.com', status: 404, reason: expect.stringContaining('publishes no metadata') },
    });
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

  it('keeps the exceptions and the client of that issuer under either spelling, where the slash is tolerated (ASM-03, ISS-07)', async () => {
    const issuer = 'https://login.example.com';
    const known = { client_id: 'pre', client_secret: 'SECRET-of-pre' };
    const slashed = (document: Document) => ({ ...document, issuer: `${issuer}/`, code_challenge_methods_supported: undefined });
    const world = scene({
      authorizationServer: { metadata: slashed, iss: `${issuer}/`, clients: [known], expectResource: false },
      client: {
        issuers: { [issuer]: { tolerateTrailingSlash: true, assumePkce: true, resourceParameter: false } },
        preregistered: [{ issuer, ...known }],
      },
    });
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requestsFor('token').map(({ form }) => form.get('resource'))).toEqual([null]);
    expect(world.servers.violations).toEqual([]);
    const strict = scene({
      authorizationServer: { metadata: (document) => ({ ...document, issuer: `${issuer}/` }), clients: [known] },
      client: { preregistered: [{ issuer: `${issuer}/`, ...known }] },
    });
    expect(await failureOfCall(call(strict))).toMatchObject({ code: 'issuer_mismatch' });
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
