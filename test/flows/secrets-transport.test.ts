import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import type { FetchLike } from '../../src/options.ts';
import { type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { selfSignedCertificate } from '../fixtures/self-signed-certificate.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { scriptedUser } from '../helpers/scripted-user.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

describe('the fetch of the embedder', () => {
  it('makes every request of every flow: its proxy, certificate authorities and dispatcher apply to all alike (SEC-07)', async () => {
    const platform = vi.fn(() => Promise.reject(new Error('the platform was asked')));
    vi.stubGlobal('fetch', platform);
    const purposes = new Set<string>();
    const wrapFetch = (fetch: FetchLike): FetchLike => {
      return async (input, init) => {
        const before = world.servers.requests.length;
        const response = await fetch(input, init);
        purposes.add(world.servers.requests[before]?.purpose ?? 'none');
        return response;
      };
    };
    const world = scene({ wrapFetch });
    const { client, servers, clock } = world;
    await client.fetch(servers.resource.url, CALL);
    await clock.advance(3_590_000);
    await client.fetch(servers.resource.url, CALL);
    await client.signOut();
    await client.authorize();
    expect(purposes).toEqual(new Set(['resource', 'resource-metadata', 'server-metadata', 'registration', 'token']));
    expect(servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toContain('refresh_token');
    expect(platform).not.toHaveBeenCalled();
  });

  it('is the platform’s where none is given, looked up at each request (SEC-07)', async () => {
    const servers = scriptedServers();
    const client = createAuthorizationClient({ resource: servers.resource.url, userAgent: scriptedUser((url) => servers.approve(url)) });
    const first = vi.fn(servers.fetch);
    vi.stubGlobal('fetch', first);
    await client.fetch(servers.resource.url, CALL);
    expect(first).toHaveBeenCalledTimes(6);
    const second = vi.fn(servers.fetch);
    vi.stubGlobal('fetch', second);
    await client.fetch(servers.resource.url, CALL);
    expect([first, second].map(({ mock }) => mock.calls.length)).toEqual([6, 1]);
  });
});

describe('a server that speaks plain http', () => {
  it('is sent no code, secret or token, whatever the policy allows (SEC-07, ASM-04)', async () => {
    const world = scene({
      resource: { authorizationServers: ['http://login.example.com'] },
      client: { allowUrl: () => true },
    });
    expect(await failureOfCall(world.client.fetch(world.servers.resource.url, CALL))).toMatchObject({ code: 'url_refused' });
    const endpoint = scene({
      authorizationServer: { metadata: (document) => ({ ...document, token_endpoint: 'http://login.example.com/token' }) },
      client: { allowUrl: () => true },
    });
    expect(await failureOfCall(endpoint.client.fetch(endpoint.servers.resource.url, CALL))).toMatchObject({ code: 'endpoint_refused' });
    for (const { servers } of [world, endpoint]) expect(servers.requests.filter(({ url }) => url.protocol === 'http:')).toEqual([]);
  });
});

describe('a server whose certificate nobody vouches for', () => {
  const trusted = getCACertificates('default');
  afterEach(() => setDefaultCACertificates(trusted));

  it('is not spoken to; where its authority is trusted, the whole flow is run with it (SEC-07)', async () => {
    const certificate = selfSignedCertificate();
    await using login = await tlsServer(certificate);
    const servers = scriptedServers({ authorizationServer: { issuer: login.origin } });
    login.serve(servers);
    const world = scene();
    // Nothing but the platform's own fetch goes to the authorization server.
    const platform: FetchLike = (input, init) => {
      const { origin } = new URL(input instanceof Request ? input.url : input);
      return origin === login.origin ? globalThis.fetch(input, init) : servers.fetch(input, init);
    };
    const client = world.another({
      fetch: platform,
      userAgent: scriptedUser((url) => servers.approve(url)),
      serverUrls: { except: ({ origin }) => origin === login.origin },
    });
    const failure = await failureOfCall(whileTimePasses(world.clock, client.fetch(servers.resource.url, CALL)));
    expect(failure).toMatchObject({
      code: 'network_unreachable',
      phase: 'server-metadata',
      details: { reason: expect.stringContaining('TLS certificate') },
    });
    expect(login.requests).toEqual([]);

    setDefaultCACertificates([...trusted, certificate.cert]);
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(login.requests).toEqual(['/.well-known/oauth-authorization-server', '/register', '/token']);
    expect(servers.violations).toEqual([]);
  });
});

interface TlsServer extends AsyncDisposable {
  readonly origin: string;
  readonly requests: readonly (string | undefined)[];
  serve(servers: ScriptedServers): void;
}

/** Scripted servers behind TLS on a port of 127.0.0.1. */
async function tlsServer(certificate: { readonly cert: string; readonly key: string }): Promise<TlsServer> {
  const requests: (string | undefined)[] = [];
  let behind: ScriptedServers | undefined;
  const server = createServer(certificate, (request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(request.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]));
    const body = Buffer.concat(chunks).toString();
    const answered = await behind?.fetch(`${origin}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      ...(body !== '' && { body }),
      redirect: 'manual',
    });
    response.writeHead(answered?.status ?? 500, Object.fromEntries(answered?.headers ?? []));
    response.end(await answered?.text());
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `https://localhost:${typeof address === 'object' ? address?.port : ''}`;
  return {
    origin,
    requests,
    serve(servers) {
      behind = servers;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
