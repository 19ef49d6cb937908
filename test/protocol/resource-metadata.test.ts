import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { FetchLike } from '../../src/options.ts';
import { lookForResourceMetadata, type ResourceMetadataLook } from '../../src/protocol/resource-metadata.ts';
import { createUrlCheck } from '../../src/protocol/server-urls.ts';
import { resourceMetadataUrls } from '../../src/protocol/well-known.ts';
import { httpWith } from '../helpers/http-with.ts';
import { failureOfPromise, json, localServer } from '../helpers/local-server.ts';

const RESOURCE = 'https://h.example/mcp';
const URL_THERE = 'https://h.example/.well-known/oauth-protected-resource/mcp';
const VALID = { resource: RESOURCE, authorization_servers: ['https://as.example'] };

function look(answer: (request: Request) => Response | Promise<Response>, options: Partial<ResourceMetadataLook> = {}) {
  const fetch: FetchLike = async (input, init) => answer(new Request(input, init));
  const http = httpWith({ fetch });
  return lookForResourceMetadata(http, { url: URL_THERE, resource: RESOURCE, protocolVersion: '2026-07-28', now: () => 0, ...options });
}

async function absence(looked: ReturnType<typeof look>): Promise<unknown> {
  const { outcome, probe } = await looked;
  return [outcome, probe.verdict, probe.status, probe.reason];
}

describe('a document that is there', () => {
  it('is asked for with MCP-Protocol-Version, and read from a real server (PRM-06)', async () => {
    const server = await localServer((_, response, origin) =>
      json(response, { resource: `${origin}/mcp`, authorization_servers: ['https://as.example'] }, 200, {
        'cache-control': 'max-age=60',
        etag: '"1"',
      }),
    );
    let now = 1000;
    const resource = `${server.origin}/mcp?tenant=1`;
    const [url = ''] = resourceMetadataUrls(resource);
    const http = httpWith();
    const looked = await lookForResourceMetadata(http, { url, resource, protocolVersion: '2026-07-28', now: () => (now += 5) });
    expect(looked).toEqual({
      outcome: 'found',
      document: { resource: `${server.origin}/mcp`, authorization_servers: ['https://as.example'] },
      probe: { document: 'resource-metadata', url: url.replace('?tenant=1', ''), status: 200, durationMs: 5, verdict: 'found' },
      maxAgeSeconds: 60,
      etag: '"1"',
    });
    expect(server.requests).toEqual([
      expect.objectContaining({
        method: 'GET',
        target: '/.well-known/oauth-protected-resource/mcp?tenant=1',
        headers: expect.objectContaining({ 'mcp-protocol-version': '2026-07-28', accept: 'application/json' }),
      }),
    ]);
  });

  it('is trimmed to what the flow uses, its lists cleaned', async () => {
    const looked = await look(() =>
      Response.json({
        ...VALID,
        authorization_servers: ['https://b.example', 'https://a.example/x', 'https://b.example', ''],
        scopes_supported: ['read', 'two words', 'read', 'a"b'],
        bearer_methods_supported: ['header'],
        jwks_uri: 'x',
      }),
    );
    expect(looked).toMatchObject({ outcome: 'found' });
    expect(looked.outcome === 'found' && looked.document).toEqual({
      resource: RESOURCE,
      authorization_servers: ['https://b.example', 'https://a.example/x'],
      scopes_supported: ['read'],
    });
  });

  it.each([
    ['members that are null', { ...VALID, scopes_supported: null, authorization_servers: null }, []],
    ['no authorization servers', { resource: RESOURCE }, []],
    ['an empty list of them', { resource: RESOURCE, authorization_servers: [] }, []],
    ['scopes of the wrong type', { ...VALID, scopes_supported: 'read write' }, ['https://as.example']],
  ])('is found with %s (PRM-02)', async (_, document, servers) => {
    const looked = await look(() => Response.json(document));
    expect(looked.outcome === 'found' && looked.document).toEqual({ resource: RESOURCE, authorization_servers: servers });
  });

  it('is read past a byte order mark, and under another content type with a remark (PRM-02)', async () => {
    const looked = await look(
      () => new Response(`\uFEFF${JSON.stringify(VALID)}`, { headers: { 'content-type': 'text/plain; charset=utf-8' } }),
    );
    expect([looked.outcome, looked.probe.reason]).toEqual(['found', 'It is JSON served as text/plain instead of application/json.']);
    const suffixed = await look(
      () => new Response(JSON.stringify(VALID), { headers: { 'content-type': 'application/oauth-resource+json' } }),
    );
    expect(suffixed.probe.reason).toBeUndefined();
  });

  it('is found where it moved inside its origin (PRM-01)', async () => {
    const looked = await look(({ url }) =>
      url.endsWith('/') ? Response.json(VALID) : new Response(null, { status: 308, headers: { location: `${url}/` } }),
    );
    expect(looked.outcome).toBe('found');
  });
});

describe('a document that is not there', () => {
  it.each([404, 400, 405, 410, 418])('is absent for %i (PRM-02)', async (status) => {
    expect(await absence(look(() => Response.json({}, { status })))).toEqual(['absent', 'absent', status, `It answered ${status}.`]);
  });

  it('is absent where the metadata itself asks for authorization (PRM-02)', async () => {
    const answer = () => new Response(null, { status: 401, headers: { 'www-authenticate': `Bearer resource_metadata="${URL_THERE}"` } });
    expect(await absence(look(answer))).toEqual([
      'absent',
      'absent',
      401,
      'It answered 401, although metadata has to be readable without authorization.',
    ]);
  });

  it.each([
    ['HTML', '<!doctype html><title>Login</title>', 'text/html', 'text/html'],
    ['nothing', '', 'application/json', 'application/json'],
    ['half a document', '{"resource":"https:', 'application/json', 'application/json'],
    ['a JSON array', '[{"resource":"x"}]', 'application/json', 'application/json'],
    ['null', 'null', 'application/json', 'application/json'],
    ['a string', '"x"', 'application/json', 'application/json'],
    ['endless nesting', '['.repeat(200_000), 'application/json', 'application/json'],
  ])('is invalid when it is %s with 200 (PRM-02)', async (_, body, type, shown) => {
    const answer = () => new Response(body, { headers: { 'content-type': type } });
    expect(await absence(look(answer))).toEqual([
      'absent',
      'invalid',
      200,
      `It answered with ${shown}, and the body is not a JSON object.`,
    ]);
  });

  it.each([
    ['no resource', { authorization_servers: [] }, 'resource'],
    ['a resource that is no string', { ...VALID, resource: [RESOURCE] }, 'resource'],
    ['authorization_servers that is no list', { ...VALID, authorization_servers: 'https://as.example' }, 'authorization_servers'],
    [
      'authorization_servers that is no list of strings',
      { ...VALID, authorization_servers: [{ issuer: 'https://as.example' }] },
      'authorization_servers',
    ],
  ])('is invalid with %s, and the reason names the member (PRM-02)', async (_, document, member) => {
    expect(await absence(look(() => Response.json(document)))).toEqual([
      'absent',
      'invalid',
      200,
      `It is not valid metadata: ${member} missing or of the wrong type.`,
    ]);
  });

  it('is absent where the site redirects to elsewhere, and invalid where the answer is too large (PRM-02)', async () => {
    const login = () => new Response(null, { status: 302, headers: { location: 'https://login.example/?next=secret' } });
    expect(await absence(look(login))).toEqual([
      'absent',
      'absent',
      302,
      'It redirects. It leads to another origin (https://login.example/).',
    ]);
    const page = () => new Response('x'.repeat(300_000));
    expect(await absence(look(page))).toEqual(['absent', 'invalid', undefined, 'It is too large for metadata. The limit is 262144 bytes.']);
  });

  it.each([
    ['/.well-known/oauth-protected-resource', 'The challenge names it as resource_metadata, but it is not an absolute http or https URL.'],
    ['javascript:alert(1)', 'The challenge names it as resource_metadata, but it is not an absolute http or https URL.'],
    ['https://user:pw@h.example/x', 'The challenge names it as resource_metadata, but it is not an absolute http or https URL.'],
    ['http://169.254.169.254/latest/meta-data', 'It is plain http on another host.'],
  ])('is not even asked for at %s (PRM-01)', async (url, reason) => {
    const answer = vi.fn();
    expect(await absence(look(answer, { url }))).toEqual(['absent', 'invalid', undefined, reason]);
    expect(answer).not.toHaveBeenCalled();
  });

  it('is asked for in plain http only next to a resource that is configured so (PRM-01)', async () => {
    const resource = 'http://mcp.internal:8080/mcp';
    const looked = await look(() => Response.json({ ...VALID, resource }), {
      resource,
      url: 'http://mcp.internal:8080/.well-known/oauth-protected-resource',
    });
    expect(looked.outcome).toBe('found');
  });
});

describe('a server that cannot answer now', () => {
  it.each([500, 502, 503, 504, 429])('fails as retryable for %i and never looks like absence (PRM-02)', async (status) => {
    const failure = await failureOfPromise(look(() => new Response('<secret>', { status, headers: { 'retry-after': '7' } })));
    expect(failure).toMatchObject({
      code: 'server_unavailable',
      phase: 'resource-metadata',
      retryable: true,
      details: { status, url: URL_THERE, retryAfterSeconds: 7 },
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });

  it('fails as retryable when it cannot be reached (PRM-02)', async () => {
    const failure = await failureOfPromise(look(() => Promise.reject(new TypeError('fetch failed'))));
    expect([failure.code, failure.retryable]).toEqual(['network_unreachable', true]);
  });

  it('fails when the policy refuses a place of the resource itself (PRM-02)', async () => {
    const http = httpWith({ checkUrl: createUrlCheck({ resource: RESOURCE, limits: DEFAULT_LIMITS, allowUrl: () => false }) });
    const failure = await failureOfPromise(
      lookForResourceMetadata(http, { url: URL_THERE, resource: RESOURCE, protocolVersion: 'x', now: () => 0 }),
    );
    expect(failure.code).toBe('url_refused_by_policy');
  });

  it('is asked once more without our header where a browser may have refused it, and nowhere else (PRM-06)', async () => {
    const answer = vi.fn(({ headers }: Request) =>
      headers.has('mcp-protocol-version') ? Promise.reject(new TypeError('Failed to fetch')) : Response.json(VALID),
    );
    expect((await failureOfPromise(look(answer))).code).toBe('network_unreachable');
    expect(answer).toHaveBeenCalledTimes(1);
    vi.stubGlobal('location', new URL('https://app.example/'));
    try {
      expect((await look(answer)).outcome).toBe('found');
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('a document about another resource', () => {
  it.each(['https://other.example/mcp', 'https://h.example/other', 'https://h.example/mcp/below', 'not a URL'])(
    'ends in a failure that names both: %s (PRM-03)',
    async (resource) => {
      const failure = await failureOfPromise(look(() => Response.json({ ...VALID, resource })));
      expect(failure).toMatchObject({
        code: 'resource_mismatch',
        retryable: false,
        details: { expected: RESOURCE, received: resource, url: URL_THERE },
      });
      expect(failure.message).toContain(RESOURCE);
      expect(failure.message).toContain(resource);
    },
  );

  it('is accepted where only case, default port or a slash differ, or where it is about a parent (PRM-03)', async () => {
    for (const resource of ['HTTPS://H.EXAMPLE:443/mcp', 'https://h.example/mcp/', 'https://h.example/', 'https://h.example']) {
      expect((await look(() => Response.json({ ...VALID, resource }))).outcome, resource).toBe('found');
    }
  });

  it('is judged by the caller where the caller has a rule (PRM-03)', async () => {
    const foreign = () => Response.json({ ...VALID, resource: 'urn:our:api' });
    const validateResource = vi.fn(async (named: string) => named === 'urn:our:api');
    expect((await look(foreign, { validateResource })).outcome).toBe('found');
    expect(validateResource).toHaveBeenCalledWith('urn:our:api', RESOURCE);
    expect((await failureOfPromise(look(() => Response.json(VALID), { validateResource }))).code).toBe('resource_mismatch');
  });
});
