import { describe, expect, it } from 'vitest';
import type { UrlPurpose } from '../../src/options.ts';
import { createUrlCheck } from '../../src/protocol/server-urls.ts';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const PUBLIC_ADDRESS = '8.8.8.8';
const REFUSED = 'url_refused_by_policy';

describe('a policy for the URLs that servers name', () => {
  it('is asked about every one of a login, the page of the user included, without what is said there (SEC-03)', async () => {
    const asked: string[] = [];
    const { client, servers } = scene({ client: { allowUrl: (url, purpose) => asked.push(`${purpose} ${url.href}`) > 0 } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(asked).toEqual([
      'resource-metadata https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
      'server-metadata https://login.example.com/.well-known/oauth-authorization-server',
      // Known before the user is asked for anything.
      'authorization https://login.example.com/authorize',
      'token https://login.example.com/token',
      'registration https://login.example.com/register',
      'authorization https://login.example.com/authorize',
      'token https://login.example.com/token',
    ]);
  });

  it.each<UrlPurpose>(['resource-metadata', 'server-metadata', 'registration', 'authorization', 'token'])(
    'sends nobody and nothing to a %s URL that it refuses (SEC-03)',
    async (refused) => {
      const { client, servers, user } = scene({ client: { allowUrl: (_url, purpose) => purpose !== refused } });
      expect(await failureOfCall(client.fetch(servers.resource.url, CALL))).toMatchObject({ code: REFUSED });
      expect(servers.requestsFor(refused)).toEqual([]);
      expect(user.shown).toEqual([]);
    },
  );
});

/** The metadata of the authorization server with another endpoint. */
const naming = (endpoint: string, url: string): SceneOptions => ({
  authorizationServer: { metadata: (document) => ({ ...document, [endpoint]: url }) },
});

describe('a resource on the internet', () => {
  it.each([
    ['authorization server in a private network', { resource: { authorizationServers: ['https://10.0.0.5'] } }],
    ['authorization server on this machine', { resource: { authorizationServers: ['http://localhost:9000'] } }],
    ['registration endpoint', naming('registration_endpoint', 'https://10.0.0.5/register')],
    ['authorization endpoint', naming('authorization_endpoint', 'http://127.0.0.1:8080/admin')],
    ['token endpoint', naming('token_endpoint', 'https://169.254.169.254/latest')],
  ] satisfies [string, SceneOptions][])('cannot have requests sent inside: %s (SEC-03)', async (_name, options) => {
    const { client, servers, user } = scene({ ...options, client: { serverUrls: { resolve: async () => [PUBLIC_ADDRESS] } } });
    const failure = await failureOfCall(client.fetch(servers.resource.url, CALL));
    expect(failure).toMatchObject({
      code: REFUSED,
      details: { reason: expect.stringMatching(/, and the resource mcp\.example\.com is not there\.$/) },
    });
    const hosts = new Set(servers.requests.map(({ url }) => url.hostname));
    expect([...hosts].sort()).toEqual(hosts.has('login.example.com') ? ['login.example.com', 'mcp.example.com'] : ['mcp.example.com']);
    expect(user.shown).toEqual([]);
  });

  it('whose challenge names an inner address is looked up at its own places, and the probe says why (SEC-03, PRM-01)', async () => {
    const { client, servers } = scene({
      resource: { challenge: () => 'Bearer resource_metadata="http://localhost:8000/.well-known/oauth-protected-resource/mcp"' },
    });
    let probes: readonly unknown[] = [];
    client.actor.subscribe(({ context }) => {
      if (context.discovery !== undefined) probes = context.discovery.probes;
    });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(probes[0]).toMatchObject({
      verdict: 'refused',
      url: 'http://localhost:8000/.well-known/oauth-protected-resource/mcp',
      reason: 'localhost is a loopback address, and the resource mcp.example.com is not there.',
    });
    expect(servers.requests.every(({ url }) => url.hostname.endsWith('.example.com'))).toBe(true);
  });

  it('is served by its next authorization server where the first is refused (SEC-03, PRM-04)', async () => {
    for (const metadata of [undefined, (document: object) => ({ ...document, token_endpoint: 'https://10.0.0.5/token' })]) {
      const issuer = metadata === undefined ? 'https://10.0.0.5' : 'https://login.example.com';
      const { client, servers } = scene({
        authorizationServer: { issuer, ...(metadata && { metadata }) },
        moreAuthorizationServers: [{ issuer: 'https://other.example.com' }],
        client: { serverUrls: { resolve: async () => [PUBLIC_ADDRESS] } },
      });
      expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
      expect(servers.requestsFor('token').map(({ url }) => url.href)).toEqual(['https://other.example.com/token']);
    }
  });

  it.each<[string, SceneOptions]>([
    ['pre-registered client', { client: { preregistered: [{ issuer: 'https://10.0.0.5', client_id: 'known' }] } }],
    ['exception for the issuer', { client: { issuers: { 'https://10.0.0.5': { useServerScopes: true } } } }],
  ])('may lead to an inner authorization server that the embedder has named: %s (SEC-03)', async (_name, { client: more }) => {
    const { client, servers } = scene({
      authorizationServer: { issuer: 'https://10.0.0.5', clients: [{ client_id: 'known' }] },
      client: { serverUrls: 'strict', ...more },
    });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
  });

  it('may use inner endpoints that the embedder has configured, and no others (SEC-03)', async () => {
    const metadata = {
      issuer: 'https://login.example.com',
      authorization_endpoint: 'https://10.0.0.5/authorize',
      token_endpoint: 'https://10.0.0.6/token',
      code_challenge_methods_supported: ['S256'],
    };
    const options = {
      resource: 'https://mcp.example.com/mcp',
      limits: { requestTimeoutMs: 5_000 },
      serverUrls: { resolve: false },
    } as const;
    const check = createUrlCheck({ ...options, serverMetadata: { [metadata.issuer]: metadata } });
    const use = { phase: 'token', purpose: 'token' } as const;
    await check('https://10.0.0.5/authorize', use);
    await check('https://10.0.0.6/token', use);
    await expect(check('https://10.0.0.7/token', use)).rejects.toThrow('private network');
  });

  it('may use an inner address that the embedder excepts (SEC-03)', async () => {
    const { client, servers } = scene({
      authorizationServer: { issuer: 'https://10.0.0.5' },
      client: { serverUrls: { rule: 'strict', resolve: async () => [PUBLIC_ADDRESS], except: ({ host }) => host === '10.0.0.5' } },
    });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.violations).toEqual([]);
  });
});

describe('the strict rule', () => {
  it('looks up every name that a request goes to but the resource’s own, and no name for an authorised request (SEC-03, FET-11)', async () => {
    const asked: string[] = [];
    const resolve = async (hostname: string) => {
      asked.push(hostname);
      return [PUBLIC_ADDRESS];
    };
    const { client, servers } = scene({ client: { serverUrls: { rule: 'strict', resolve } } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    // Metadata, the token endpoint before the user is asked, registration, the exchange.
    expect(asked).toEqual(['login.example.com', 'login.example.com', 'login.example.com', 'login.example.com']);
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(asked).toHaveLength(4);
  });

  it('posts no code where the name of the token endpoint has moved inside while the user was away, and says so (SEC-03)', async () => {
    let addresses = [PUBLIC_ADDRESS];
    const { client, servers } = scene({
      act: (on, url) => {
        addresses = ['10.0.0.5'];
        return on.approve(url);
      },
      client: { serverUrls: { rule: 'strict', resolve: async () => addresses } },
    });
    expect(await failureOfCall(client.fetch(servers.resource.url, CALL))).toMatchObject({ code: REFUSED });
    expect(servers.requestsFor('token')).toEqual([]);
  });

  it('sends no refresh token to a stored endpoint whose name has moved inside, and keeps it (SEC-03, RFR-03)', async () => {
    let addresses = [PUBLIC_ADDRESS];
    const { client, servers, clock, another } = scene({
      authorizationServer: { accessTokenSeconds: 60 },
      client: { serverUrls: { rule: 'strict', resolve: async () => addresses } },
    });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    await client.close();
    await clock.advance(120_000);
    addresses = ['127.0.0.1'];
    const later = another();
    expect(await failureOfCall(later.fetch(servers.resource.url, CALL))).toMatchObject({ code: REFUSED });
    expect(servers.requestsFor('token')).toHaveLength(1);
    addresses = [PUBLIC_ADDRESS];
    expect((await later.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.violations).toEqual([]);
  });

  it('tries again where a name cannot be resolved for a moment (SEC-03, PRM-02)', async () => {
    let tries = 0;
    const resolve = async () => {
      tries += 1;
      // The first look at the metadata, and the look ahead at the token endpoint.
      if (tries === 1 || tries === 3) throw Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' });
      return [PUBLIC_ADDRESS];
    };
    const { client, servers, clock } = scene({ client: { serverUrls: { rule: 'strict', resolve } } });
    const answered = client.fetch(servers.resource.url, CALL);
    expect((await whileTimePasses(clock, answered)).status).toBe(200);
  });
});

describe('metadata that named an inner address', () => {
  it('is read anew by a refresh, for the endpoint may have moved since it was stored (SEC-03, ASM-07)', async () => {
    const { client, servers, clock, another } = scene({ authorizationServer: { accessTokenSeconds: 60 } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    await client.close();
    await clock.advance(120_000);
    // Where this process may go, the endpoint that is stored is refused.
    let refused = 0;
    const allowUrl = (_url: URL, purpose: UrlPurpose): boolean => purpose !== 'token' || ++refused > 1;
    expect((await another({ allowUrl }).fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.requestsFor('server-metadata')).toHaveLength(2);
    expect(servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual(['authorization_code', 'refresh_token']);
  });

  it('is read anew where a client is to be registered, too (SEC-03, ASM-07)', async () => {
    let read = 0;
    const inner = { registration_endpoint: 'https://10.0.0.5/register' };
    const { client, servers } = scene({ authorizationServer: { metadata: (document) => ({ ...document, ...(++read === 1 && inner) }) } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.requestsFor('server-metadata')).toHaveLength(2);
    expect(servers.requestsFor('registration')).toHaveLength(1);
  });

  it('is read anew by the next try, so that a server that was mended can be used at once (SEC-03, ASM-07)', async () => {
    const { client, servers } = scene(naming('token_endpoint', 'https://10.0.0.5/token'));
    expect(await failureOfCall(client.fetch(servers.resource.url, CALL))).toMatchObject({ code: REFUSED });
    servers.authorizationServer.options.metadata = undefined;
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
  });
});
