import { describe, expect, it } from 'vitest';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import { problemsOf } from '../helpers/problems-of.ts';
import { asked, listening, PUBLIC, proxiedScene } from './proxied-scene.ts';

const ORIGIN = new URL(PUBLIC).origin;

describe('the path at the backend', () => {
  it.each([
    ['/mcp', '/inner/mcp'],
    ['/mcp/', '/inner/mcp/'],
    ['/mcp/a/b', '/inner/mcp/a/b'],
    ['/mcp/a%2Fb', '/inner/mcp/a%2Fb'],
    ['/mcp?a=1&b=%20', '/inner/mcp?a=1&b=%20'],
    ['/mcp?access_token=secret', '/inner/mcp'],
    ['/mcp?a=1&access%5Ftoken=secret&b=2', '/inner/mcp?a=1&b=2'],
    ['/mcp?a=1;access_token=secret&b=2', '/inner/mcp?b=2'],
    ['/mcp?ACCESS_TOKEN=secret', '/inner/mcp'],
    ['/mcp?access.token=secret&access_token[]=secret', '/inner/mcp'],
    ['/mcp?a=1&&=&b=2', '/inner/mcp?a=1&&=&b=2'],
    ['/mcp?%u0061ccess_token=secret&access%255ftoken=secret', '/inner/mcp'],
    ['/mcp//evil.example.com/x', '/inner/mcp//evil.example.com/x'],
    ['/mcp/caf%E9/%c0%ae/100%25', '/inner/mcp/caf%E9/%c0%ae/100%25'],
    ['/mcp/a..%2fb/%2e%2e%2e/..%E9', '/inner/mcp/a..%2fb/%2e%2e%2e/..%E9'],
  ])('of %s is %s (GWY-01, GWY-13)', async (path, expected) => {
    const { handle, seen } = await proxiedScene();
    expect((await handle(asked({}, ORIGIN + path))).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual([expected]);
  });

  it.each([
    '/mcp/../admin',
    '/mcp/%2e%2e/admin',
    '/mcp/..%2fadmin',
    '/mcp/..%5cadmin',
    '/mcp/%252e%252e%252fadmin',
    '/mcp/%25%32%65%25%32%65%2fadmin',
    '/mcp/%c0%ae%c0%ae%c0%afadmin',
    '/mcp/.%09.%2fadmin',
    '/mcp/..;/admin',
    '/mcpx',
    '/',
    '//mcp',
  ])('%s is not at the resource, and 404 (GWY-01)', async (path) => {
    const { handle, seen } = await proxiedScene();
    expect((await handle(asked({}, ORIGIN + path))).status).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each([
    ['https://mcp.example.com', '/', '/inner/mcp'],
    ['https://mcp.example.com', '/a', '/inner/mcp/a'],
    ['https://mcp.example.com/mcp/', '/mcp/', '/inner/mcp'],
    ['https://mcp.example.com/mcp/', '/mcp/a', '/inner/mcp/a'],
  ])('of the resource %s, asked at %s, is %s (GWY-01)', async (resource, path, expected) => {
    const { handle, seen } = await proxiedScene(undefined, {}, { resource });
    await handle(asked({}, ORIGIN + path));
    expect(seen.map(({ url }) => url)).toEqual([expected]);
  });
});

describe('the query of the configured backend', () => {
  const urlsAsked = async (query: string): Promise<readonly (string | undefined)[]> => {
    const urls: (string | undefined)[] = [];
    const origin = await listening(({ url }, response) => {
      urls.push(url);
      response.end();
    });
    const { handle } = await proxiedScene(undefined, { backend: `${origin}/mcp?tenant_id=a` });
    await handle(asked({}, `${PUBLIC}/x?${query}&page=2`));
    return urls;
  };

  it.each([
    'tenant_id=b',
    '%74enant_id=b',
    'TENANT_ID=b',
    'x;tenant_id=b',
    'tenant.id=b',
    '+tenant%20id=b',
    'tenant[id=b',
    'tenant_id[]=b',
    'tenant_id%5B0%5D=b',
    'tenant_id[a][b]=b',
    '[tenant_id]=b',
    'tenant_id%00x=b',
    '%u0074enant_id=b',
    '%2574enant_id=b',
    'tenant%25255fid=b',
    'tenant%5Fid%3Db',
    '%c1%b4enant_id=b',
    '%EF%BD%94enant_id=b',
  ])('is not for a caller to say again: %s (GWY-01, GWY-11)', async (query) => {
    expect(await urlsAsked(query)).toEqual(['/mcp/x?tenant_id=a&page=2']);
  });

  it.each(['tenant_ids=b', 'tenant=b', 'page[tenant_id]=b', 'id=b', '=b', 'x=tenant_id%3Db', 'nom%E9=%u0074', '%25'])(
    'leaves others to the caller: %s (GWY-01)',
    async (query) => {
      expect(await urlsAsked(query)).toEqual([`/mcp/x?tenant_id=a&${query}&page=2`]);
    },
  );

  it('does not get out where the backend redirects with it (GWY-01, SEC-01)', async () => {
    const origin = await listening(({ url = '' }, response) => {
      response.writeHead(307, { location: url.replace('?', '/?'), 'content-location': url }).end();
    });
    const { handle } = await proxiedScene(undefined, { backend: `${origin}/mcp?key=SECRET-k` });
    const { headers } = await handle(asked({}, `${PUBLIC}?page=2`));
    expect([headers.get('location'), headers.get('content-location')]).toEqual([`${PUBLIC}/?page=2`, `${PUBLIC}?page=2`]);
  });
});

describe('redirects of the backend', () => {
  it.each([
    ['/inner/mcp/next?x=1', `${PUBLIC}/next?x=1`],
    ['next', `${ORIGIN}/next`],
    ['mcp/next', `${PUBLIC}/next`],
    ['https://files.example.com/download', 'https://files.example.com/download'],
    [`${PUBLIC}/there`, `${PUBLIC}/there`],
  ])('to %s is not followed, and leads to %s or nowhere (GWY-01)', async (location, expected) => {
    const { handle, seen } = await proxiedScene((_request, response) => void response.writeHead(307, { location }).end());
    const response = await handle(asked());
    expect(seen).toHaveLength(1);
    const isOutside = location === 'next';
    expect([response.status, response.headers.get('location')]).toEqual(isOutside ? [502, null] : [307, expected]);
  });

  it('at its own address: mapped where the resource is, refused elsewhere, so that the address never gets out (GWY-01)', async () => {
    const { handle, backend, records } = await proxiedScene(({ url, headers }, response) => {
      const path = url?.endsWith('/in') === true ? '/inner/mcp/there' : '/admin';
      response.writeHead(302, { location: `http://${headers.host}${path}`, 'content-location': `http://${headers.host}/admin` }).end();
    });
    const inside = await handle(asked({}, `${PUBLIC}/in`));
    expect([inside.status, inside.headers.get('location')]).toEqual([302, `${PUBLIC}/there`]);
    const outside = await handle(asked());
    expect([outside.status, await outside.json()]).toMatchObject([502, { error: 'bad_gateway' }]);
    expect(JSON.stringify([[...inside.headers], [...outside.headers], records])).not.toContain(new URL(backend).host);
  });

  it.each([
    'http://10.0.0.5/x',
    'http://127.0.0.1:1/x',
    'https://127.0.0.1:1/x',
    'javascript:alert(1)',
    'https://user:pw@files.example.com/',
  ])('to %s are refused (GWY-01)', async (location) => {
    const { handle } = await proxiedScene((_request, response) => void response.writeHead(302, { location }).end());
    const response = await handle(asked());
    expect([response.status, response.headers.get('location')]).toEqual([502, null]);
  });
});

describe('the options', () => {
  it('are all looked at, and no secret in them is shown (GWY-01)', () => {
    const options = {
      resource: 'http://mcp.example.com/mcp',
      backend: 'http://user:hunter2@backend:3000/mcp',
      backendToken: 'all',
      requestTimeoutMs: 0,
      sessionKey: new Uint8Array(8),
      fetch: 1,
      more: 'sesame',
    };
    const problems = problemsOf(() => reverseProxy(options as never));
    expect(problems).toHaveLength(7);
    expect(problems.join()).not.toMatch(/hunter2|sesame/);
  });

  it.each([
    { resource: PUBLIC, backend: PUBLIC },
    { resource: PUBLIC, backend: 'http://backend:3000/mcp', backendToken: 'upstream' as const },
    { resource: PUBLIC, backend: 'ftp://backend/mcp' },
  ])(
    'refuse a backend that is the gateway itself, one that tokens reach in the clear, and one that is no web server (GWY-01) %#',
    (options) => {
      expect(problemsOf(() => reverseProxy(options))).toHaveLength(1);
    },
  );

  it('allow tokens in the clear where the embedder says that the network is trusted (GWY-08)', () => {
    expect(() =>
      reverseProxy({ resource: PUBLIC, backend: 'http://backend:3000', backendToken: 'upstream', tokenInClear: true }),
    ).not.toThrow();
  });
});
