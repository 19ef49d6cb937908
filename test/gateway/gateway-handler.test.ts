import { describe, expect, it } from 'vitest';
import { type GatewayHandlerOptions, gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import { resourceServer } from '../../src/gateway/oauth/resource-server.ts';
import type { ProtectOptions } from '../../src/gateway/protect-options.ts';
import { problemsOf } from '../helpers/problems-of.ts';
import { type BackendClient, backendClient, protectedScene } from './protected-scene.ts';

const ORIGIN = 'https://mcp.example.com';
const RESOURCE = `${ORIGIN}/mcp`;
const PAGE = 'https://app.example.com';
const gateway = createGateway({ resource: RESOURCE, upstream: { issuer: 'https://login.example.com', clientId: 'gateway' } });

function scene(options: Partial<GatewayHandlerOptions> = {}, protection: Partial<ProtectOptions<BackendClient>> = {}) {
  const { handle, served } = protectedScene({ resource: RESOURCE, ...protection });
  return { handle: gatewayHandler({ gateway, handler: handle, ...options }), served };
}

const TOKEN = { authorization: 'Bearer good-alice' };
const at = (path: string, headers: Record<string, string> = {}, method = 'GET'): Request => new Request(ORIGIN + path, { method, headers });
const preflight = (headers: Record<string, string> = {}): Request =>
  at('/mcp', { origin: PAGE, 'access-control-request-method': 'POST', ...headers }, 'OPTIONS');

describe('one handler for all of a gateway', () => {
  it.each([
    ['/.well-known/oauth-protected-resource/mcp', 200],
    ['/.well-known/oauth-authorization-server', 200],
    ['/oauth/health', 200],
    ['/mcp', 200],
    ['/mcp/below', 200],
    ['/mcpx', 404],
    ['/', 404],
    ['/mcp/..%2f..%2fadmin', 404],
    ['/mcp/%2e%2e/admin', 404],
    ['/.well-known/other', 404],
  ])('answers %s with %i (GWY-01, GWY-02)', async (path, status) => {
    const response = await scene().handle(at(path, TOKEN));
    expect(response.status).toBe(status);
    if (status === 404) expect(await response.json()).toMatchObject({ error: 'not_found' });
  });

  it('looks at paths alone: hosts in requests are whatever callers write (GWY-02)', async () => {
    const { handle } = scene();
    expect((await handle(new Request('http://evil.example.com/mcp', { headers: TOKEN }))).status).toBe(200);
    const metadata = await handle(
      new Request('http://evil.example.com/.well-known/oauth-protected-resource', { headers: { 'x-forwarded-host': 'x' } }),
    );
    expect(await metadata.json()).toMatchObject({ resource: RESOURCE });
  });

  it('serves a resource without a path at every path that is not the gateway’s own (GWY-01)', async () => {
    const { handle } = scene({ resource: ORIGIN });
    expect((await handle(at('/anything', TOKEN))).status).toBe(200);
    expect(await (await handle(at('/oauth/health'))).json()).toEqual({ status: 'ok' });
  });

  it('never rejects, whatever is behind it (GWY-01)', async () => {
    const handlers = [() => Promise.reject(new Error('secret')), () => Promise.resolve(undefined as unknown as Response)];
    for (const handler of handlers) {
      const response = await gatewayHandler({ gateway, handler })(at('/mcp'));
      expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('secret')]);
    }
  });

  it('names every mistake in its options (GWY-01)', () => {
    const problems = problemsOf(() =>
      gatewayHandler({ gateway: {}, handler: 1, allowedOrigins: ['https://a.example.com/'], more: 1 } as never),
    );
    expect(problems).toHaveLength(4);
  });
});

describe('web pages', () => {
  it('are told in a preflight without credentials what they may send, before anything is protected (GWY-01)', async () => {
    const { handle, served } = scene();
    const response = await handle(preflight({ 'access-control-request-headers': 'authorization, mcp-param-region, x-evil, mcp-param-"' }));
    expect([response.status, served]).toEqual([204, []]);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('access-control-allow-methods')).toMatch(/GET.*POST.*DELETE/);
    const allowed = (response.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ');
    const sent = [
      'authorization',
      'content-type',
      'accept',
      'mcp-session-id',
      'mcp-protocol-version',
      'last-event-id',
      'mcp-method',
      'mcp-name',
      'dpop',
    ];
    expect(allowed).toEqual(expect.arrayContaining([...sent, 'mcp-param-region']));
    expect(allowed).not.toEqual(expect.arrayContaining(['x-evil']));
    expect(allowed.join()).not.toContain('"');
  });

  it.each([
    ['401', {}, 401],
    ['403', { authorization: 'Bearer good-alice' }, 403],
    ['503', { authorization: 'Bearer down' }, 503],
  ])('can read the challenge of a %s (GWY-13)', async (_what, headers: Record<string, string>, status) => {
    const { handle } = scene({}, { scopes: ['write'] });
    const response = await handle(at('/mcp', { ...headers, origin: PAGE }));
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, '*']);
    expect(response.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate, Mcp-Session-Id/);
  });

  it('get the gateway’s word and not the handler’s (GWY-01)', async () => {
    const { handle } = scene(
      {},
      {
        handler: () =>
          new Response('x', { headers: { 'access-control-allow-origin': 'null', 'access-control-allow-credentials': 'true' } }),
      },
    );
    const { headers } = await handle(at('/mcp', TOKEN));
    expect([...headers].filter(([name]) => name.startsWith('access-control-allow'))).toEqual([['access-control-allow-origin', '*']]);
  });

  it('of origins that are not named are refused, with a token, too; others and callers without an origin are not (GWY-01)', async () => {
    const { handle, served } = scene({ allowedOrigins: [PAGE] });
    const allowed = await handle(at('/mcp', { ...TOKEN, origin: PAGE }));
    expect([allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')]).toEqual([
      200,
      PAGE,
      'Origin',
    ]);
    expect((await handle(at('/mcp', { ...TOKEN, origin: ORIGIN }))).status).toBe(200);
    expect((await handle(at('/mcp', TOKEN))).status).toBe(200);
    const before = served.length;
    for (const origin of ['https://evil.example.com', 'null', `${PAGE}.evil.example.com`, 'http://app.example.com']) {
      const response = await handle(at('/mcp', { ...TOKEN, origin }));
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, null]);
      expect((await handle(preflight({ origin }))).status).toBe(403);
    }
    expect(served).toHaveLength(before);
  });

  it('have nothing at other paths (GWY-01)', async () => {
    const response = await scene().handle(at('/oauth/authorize', { origin: PAGE, 'access-control-request-method': 'GET' }, 'OPTIONS'));
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a fallback client', () => {
  const fallback = (protection: Partial<ProtectOptions<BackendClient>> = {}) =>
    scene({}, { resource: 'http://127.0.0.1:8080/mcp', fallbackClient: backendClient('fallback'), ...protection });
  const local = (headers: Record<string, string>, host = '127.0.0.1:8080'): Request => new Request(`http://${host}/mcp`, { headers });

  it.each([
    ['a page anywhere', { origin: 'https://evil.example.com' }, undefined],
    ['a page on this machine', { origin: 'http://localhost:5173' }, undefined],
    ['a sandboxed frame', { origin: 'null' }, undefined],
    ['an image of a page anywhere', { 'sec-fetch-site': 'cross-site' }, undefined],
    ['a page on another port', { 'sec-fetch-site': 'same-site' }, undefined],
    ['a page whose name was rebound to this address', {}, 'rebound.example.com:8080'],
    ['the same page, which calls that its own origin', { origin: 'http://rebound.example.com:8080' }, 'rebound.example.com:8080'],
  ])('does not act for %s (GWY-12)', async (_what, headers: Record<string, string>, host) => {
    const { handle, served } = fallback();
    const response = await handle(local(headers, host));
    expect([response.status, await response.json(), served]).toMatchObject([403, { error: 'forbidden' }, []]);
  });

  it.each([
    ['programs', {}, undefined],
    ['pages of the resource itself', { origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' }, undefined],
    ['people who type the address', { 'sec-fetch-site': 'none' }, undefined],
    ['programs that use a name without dots, which nobody can rebind', {}, 'gateway:8080'],
    ['programs that say localhost', {}, 'localhost:8080'],
    ['programs that use another address', {}, '[::1]:8080'],
  ])('acts for %s (GWY-12)', async (_what, headers: Record<string, string>, host) => {
    expect((await fallback().handle(local(headers, host))).status).toBe(200);
  });

  it('acts for pages that are named, and anybody who has a token is served as ever (GWY-12)', async () => {
    const { handle, served } = fallback({ fallbackOrigins: [PAGE] });
    expect((await handle(local({ origin: PAGE }))).status).toBe(200);
    expect((await handle(local({ ...TOKEN, origin: 'https://other.example.com' }))).status).toBe(200);
    expect(served.map(({ subject }) => subject)).toEqual([undefined, 'alice']);
  });
});

describe('a resource server without an authorization server', () => {
  const server = resourceServer({
    resource: RESOURCE,
    authorizationServers: ['https://login.example.com'],
    scopes: ['read'],
    name: 'Weather',
  });

  it.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    'serves its metadata at %s (GWY-02)',
    async (path) => {
      expect(await (await server.fetch(at(path))).json()).toEqual({
        resource: RESOURCE,
        authorization_servers: ['https://login.example.com'],
        scopes_supported: ['read'],
        bearer_methods_supported: ['header'],
        resource_name: 'Weather',
      });
    },
  );

  it('has its health, and nothing of an authorization server (GWY-02)', async () => {
    const { handle } = scene({ gateway: server });
    expect(await (await handle(at('/oauth/health'))).json()).toEqual({ status: 'ok' });
    for (const path of ['/.well-known/oauth-authorization-server', '/oauth/token', '/oauth/authorize']) {
      expect([server.owns(at(path)), (await handle(at(path))).status]).toEqual([false, 404]);
    }
    expect((await handle(at('/mcp', TOKEN))).status).toBe(200);
    expect((await server.fetch(at('/oauth/health', {}, 'POST'))).status).toBe(405);
  });

  it('names every mistake in its options (GWY-02)', () => {
    const options = { resource: 'http://mcp.example.com', authorizationServers: [], scopes: ['a b'], name: '', more: 1 };
    expect(problemsOf(() => resourceServer(options as never))).toHaveLength(5);
  });
});
