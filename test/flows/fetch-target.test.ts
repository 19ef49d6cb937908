import { describe, expect, it } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { redirectTo } from '../fixtures/scripted/bad-answers.ts';
import { listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { json, localServer } from '../helpers/local-server.ts';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { scriptedUser } from '../helpers/scripted-user.ts';
import { failureOfCall } from '../helpers/waiting.ts';

describe('what fetch takes and returns', () => {
  it.each([
    ['a string', (url: string) => [url, CALL] as const],
    ['a URL', (url: string) => [new URL(url), CALL] as const],
    ['a Request', (url: string) => [new Request(url, CALL)] as const],
    ['a Request with an init that changes it', (url: string) => [new Request(url), CALL] as const],
  ])('sends %s through the whole flow (FET-01)', async (_, asked) => {
    const { client, servers } = scene();
    const [input, init] = asked(servers.resource.url);
    const response = await client.fetch(input, init);
    expect(await response.json()).toEqual({ method: 'POST', path: '/mcp', body: CALL.body });
    expect(servers.requestsFor('resource').map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/json',
      'application/json',
    ]);
    expect(servers.violations).toEqual([]);
  });

  it('sends a URL as it was when fetch was called, whatever its caller makes of it meanwhile (FET-01, FET-02)', async () => {
    const { client, servers } = scene();
    const url = new URL(servers.resource.url);
    const pending = client.fetch(url, CALL);
    url.host = 'evil.example.com';
    expect((await pending).status).toBe(200);
    expect(servers.requests.filter(({ url: asked }) => asked.host === 'evil.example.com')).toEqual([]);
  });

  it('returns the very response of the resource, its body unread and still open (FET-01)', async () => {
    const open = new TransformStream<Uint8Array, Uint8Array>();
    const writer = open.writable.getWriter();
    const answered: Response[] = [];
    const { client, servers } = scene({
      resource: { answer: () => new Response(open.readable, { status: 206, statusText: 'Some', headers: { 'x-kept': 'yes' } }) },
      wrapFetch: (fetch) => async (input, init) => {
        const response = await fetch(input, init);
        answered.push(response);
        return response;
      },
    });
    const response = await client.fetch(servers.resource.url);
    expect(response).toBe(answered.at(-1));
    expect(response).toMatchObject({ status: 206, statusText: 'Some', bodyUsed: false });
    void writer.write(new TextEncoder().encode('event: one\n\n'));
    const first = await response.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toBe('event: one\n\n');
  });

  it.each([200, 204, 404, 500])('hands an answer %i of the resource back as it is (FET-01)', async (status) => {
    const { client, servers } = scene({ resource: { answer: () => new Response(null, { status }) } });
    expect((await client.fetch(servers.resource.url)).status).toBe(status);
    expect(servers.requestsFor('resource')).toHaveLength(2);
  });

  it('rejects with the error of fetch itself when the resource cannot be reached (FET-01)', async () => {
    const broken = new TypeError('fetch failed');
    const { client, servers } = scene({ wrapFetch: () => () => Promise.reject(broken) });
    await expect(client.fetch(servers.resource.url)).rejects.toBe(broken);
  });

  it('can be passed on without its client (FET-01)', async () => {
    const { client, servers } = scene();
    const { fetch } = client;
    expect((await fetch(servers.resource.url, CALL)).status).toBe(200);
  });
});

describe('where the access token goes', () => {
  const PATH_ONLY: SceneOptions = { client: { attachTo: 'path' } };

  it('attaches it to sibling paths of the same origin, as the legacy SSE transport posts to (FET-02)', async () => {
    const { client, servers } = scene();
    await client.fetch(servers.resource.url, CALL);
    servers.respond('/messages', () => new Response('taken'));
    expect((await client.fetch('https://mcp.example.com/messages?session=1', CALL)).status).toBe(200);
    expect(servers.requests.at(-1)?.headers.get('authorization')).toMatch(/^Bearer SECRET-/);
  });

  it.each([
    'https://evil.example.com/mcp',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com:8443/mcp',
    'https://mcp.example.com@evil.example.com/mcp',
    'https://mcp.example.com.evil.example.com/mcp',
    'blob:https://mcp.example.com/mcp',
    '/mcp',
    'not a URL',
  ])('refuses %s before anything is sent, read or asked (FET-02)', async (url) => {
    const { client, servers, storeOperations } = scene();
    await client.fetch(servers.resource.url, CALL);
    const [sent, stored] = [servers.requests.length, storeOperations()];
    const failure = await failureOfCall(client.fetch(url, CALL));
    expect(failure).toMatchObject({ code: 'url_outside_resource', phase: 'request', details: { resource: servers.resource.url } });
    expect([servers.requests.length, storeOperations()]).toEqual([sent, stored]);
  });

  it('refuses such a URL also for a request with credentials of its own, and names it without its query (FET-02)', async () => {
    const { client, servers } = scene();
    const failure = await failureOfCall(
      client.fetch('https://evil.example.com/mcp?key=SECRET-key', { headers: { authorization: 'Basic SECRET-own' } }),
    );
    expect(failure).toMatchObject({ details: { url: 'https://evil.example.com/mcp' } });
    expect(servers.requests).toEqual([]);
  });

  it.each([
    'https://mcp.example.com/mcp',
    'https://mcp.example.com/mcp/',
    'https://mcp.example.com/mcp/tools?x=1',
    'https://mcp.example.com/mcp/tools?next=..%2fadmin',
    'https://mcp.example.com/mcp/a%2Fb/..c/d..',
    'https://mcp.example.com/mcp/caf%E9/%c0%ae/100%25',
    'https://mcp.example.com/a/../mcp',
  ])('attaches it to %s when it is kept inside the path (FET-02)', async (url) => {
    const { client, servers } = scene(PATH_ONLY);
    await client.authorize();
    expect((await client.fetch(url)).status).toBe(200);
    expect(servers.requests.at(-1)?.headers.has('authorization')).toBe(true);
  });

  it.each([
    'https://mcp.example.com/mcpx',
    'https://mcp.example.com/messages',
    'https://mcp.example.com/mcp/../admin',
    'https://mcp.example.com/mcp/%2e%2e/admin',
    // Ways out for servers and proxies that decode first and resolve then.
    'https://mcp.example.com/mcp/..%2fadmin',
    'https://mcp.example.com/mcp/%2E%2E%2Fadmin',
    'https://mcp.example.com/mcp/x%2f..%2f..%2fadmin',
    'https://mcp.example.com/mcp/..%5cadmin',
    'https://mcp.example.com/mcp/..;/admin',
    'https://mcp.example.com/mcp/..%3bx=1/admin',
    'https://mcp.example.com/mcp/%252e%252e%252fadmin',
    'https://mcp.example.com/mcp/%25%32%65%25%32%65%2fadmin',
    'https://mcp.example.com/mcp/%c0%ae%c0%ae%c0%afadmin',
    'https://mcp.example.com/mcp/.%0d.%2fadmin',
    'https://mcp.example.com/mcp/..%2f',
    'https://mcp.example.com/',
  ])('refuses %s when it is kept inside the path (FET-02)', async (url) => {
    const { client } = scene(PATH_ONLY);
    expect((await failureOfCall(client.fetch(url))).code).toBe('url_outside_resource');
  });
});

describe('redirects of the resource, on real sockets', () => {
  async function redirecting(status: 302 | 307) {
    const servers = await listeningServers();
    const elsewhere = await localServer((_request, response) => json(response, { elsewhere: true }));
    const user = scriptedUser((url) => servers.approve(url));
    const client = createAuthorizationClient({
      resource: servers.resource.url,
      userAgent: user,
      store: memoryStore(),
      clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    });
    const away = `${elsewhere.origin}/landing`;
    return { servers, elsewhere, client, user, respond: () => servers.respond('resource', redirectTo(away, status)) };
  }

  it.each([302, 307] as const)('does not take the token along on a %i to another origin (FET-03)', async (status) => {
    const { servers, elsewhere, client, respond } = await redirecting(status);
    await using _ = servers;
    await client.authorize();
    respond();
    const response = await client.fetch(servers.resource.url, CALL);
    expect(await response.json()).toEqual({ elsewhere: true });
    expect(servers.requests.at(-1)?.headers.get('authorization')).toMatch(/^Bearer SECRET-/);
    expect(elsewhere.requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      [status === 302 ? 'GET' : 'POST', undefined],
    ]);
  });

  it.each([302, 307] as const)('does not answer the challenge of another origin that a %i led to (FET-03)', async (status) => {
    const { servers, client, user } = await redirecting(status);
    await using _ = servers;
    const challenging = await localServer((_request, response) =>
      json(response, {}, 401, { 'www-authenticate': 'Bearer resource_metadata="https://evil.example.com/metadata"' }),
    );
    await client.authorize();
    servers.respond('resource', redirectTo(`${challenging.origin}/`, status));
    const sent = servers.requests.length;
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(401);
    expect(servers.requests).toHaveLength(sent + 1);
    expect(challenging.requests[0]?.headers.authorization).toBeUndefined();
    expect(user.shown).toHaveLength(1);
  });

  it('never puts a token into a URL (FET-03)', async () => {
    const { servers, client } = await redirecting(302);
    await using _ = servers;
    await client.fetch(servers.resource.url, CALL);
    servers.authorizationServer.expireAccessTokens();
    await client.fetch(servers.resource.url, CALL);
    expect(servers.requests.filter(({ url }) => /access-token|refresh-token/.test(url.href))).toEqual([]);
    expect(servers.violations).toEqual([]);
  });
});
