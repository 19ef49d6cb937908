import { describe, expect, it } from 'vitest';
import { htmlPage, hugeJson, networkFails } from '../fixtures/scripted/bad-answers.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const looks = ({ servers }: Scene, document: 'resource-metadata' | 'server-metadata'): readonly string[] =>
  servers
    .wire()
    .filter((line) => line.includes(document === 'resource-metadata' ? 'oauth-protected-resource' : 'oauth-authorization-server'));

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

describe('a 401 without a usable challenge', () => {
  it.each<[string, string | readonly string[] | undefined]>([
    ['no WWW-Authenticate at all', undefined],
    ['a Basic challenge only', 'Basic realm="mcp"'],
    ['a challenge that cannot be parsed', '=,=,='],
  ])('with %s starts discovery by well-known URIs (CHA-03)', async (_what, header) => {
    const world = scene({ resource: { challenge: () => header, metadataAt: ['root'] } });
    expect((await call(world)).status).toBe(200);
    expect(looks(world, 'resource-metadata')).toEqual([
      'GET /.well-known/oauth-protected-resource/mcp 404',
      'GET /.well-known/oauth-protected-resource 200',
    ]);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('a new challenge', () => {
  it('leads to its own metadata and scopes, whatever was found or granted before (CHA-04)', async () => {
    const world = scene({
      resource: { metadataAt: ['/first'], challengeScopes: ['read'] },
      moreAuthorizationServers: [{ issuer: 'https://new.example.com' }],
    });
    const { servers } = world;
    servers.resource.options.authorizationServers = ['https://login.example.com'];
    await call(world);
    servers.resource.options.metadataAt = ['/second'];
    servers.resource.options.authorizationServers = ['https://new.example.com'];
    servers.resource.options.challengeScopes = ['write'];
    servers.authorizationServer.expireAccessTokens();
    const before = servers.requests.length;
    expect((await call(world)).status).toBe(200);
    const later = servers.requests.slice(before);
    expect(later.filter(({ purpose }) => purpose === 'resource-metadata').map(({ url }) => url.pathname)).toEqual(['/second']);
    const asked = later.find(({ purpose }) => purpose === 'authorization');
    expect(asked?.url.origin).toBe('https://new.example.com');
    expect(asked?.url.searchParams.get('scope')).toBe('write');
    expect(servers.violations).toEqual([]);
  });

  it('is asked for when authorization is begun without a request (CHA-04)', async () => {
    const world = scene({ resource: { metadataAt: ['/named-by-the-challenge'], challengeScopes: ['read'] } });
    await world.client.authorize();
    expect(world.client.status).toMatchObject({ step: 'authorized', grantedScopes: ['read'] });
    expect(world.servers.wire().slice(0, 2)).toEqual(['GET /mcp 401', 'GET /named-by-the-challenge 200']);
  });
});

describe('where protected resource metadata is looked for', () => {
  it('is the URL of the challenge first, and nowhere else if it is there (PRM-01)', async () => {
    const world = scene({ resource: { metadataAt: ['/somewhere/else'] } });
    await call(world);
    expect(world.servers.requestsFor('resource-metadata').map(({ url }) => url.pathname)).toEqual(['/somewhere/else']);
  });

  it('is the path-inserted well-known URI next, then the root (PRM-01)', async () => {
    const challenge = () => 'Bearer resource_metadata="https://mcp.example.com/gone"';
    const world = scene({ resource: { metadataAt: ['root'], challenge } });
    await call(world);
    expect(world.servers.wire().slice(0, 4)).toEqual([
      'POST /mcp 401',
      'GET /gone 404',
      'GET /.well-known/oauth-protected-resource/mcp 404',
      'GET /.well-known/oauth-protected-resource 200',
    ]);
    expect(world.servers.violations).toEqual([]);
  });

  it('keeps the query of the resource where RFC 9728 section 3.1 says so, and sends MCP-Protocol-Version (PRM-06)', async () => {
    const world = scene({ resource: { url: 'https://mcp.example.com/mcp?tenant=7', metadataAt: ['root'], challenge: false } });
    expect((await call(world)).status).toBe(200);
    const asked = world.servers.requests.filter(({ url }) => url.pathname.includes('/.well-known/'));
    expect(asked.map(({ url }) => `${url.pathname}${url.search}`)).toEqual([
      '/.well-known/oauth-protected-resource/mcp?tenant=7',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-authorization-server',
    ]);
    expect(asked.map(({ headers }) => headers.get('mcp-protocol-version'))).toEqual(['2026-07-28', '2026-07-28', '2026-07-28']);
  });
});

describe('a candidate that is no protected resource metadata', () => {
  it.each<[string, Parameters<Scene['servers']['respond']>[1]]>([
    ['404', 404],
    ['403', 403],
    ['400', 400],
    ['an HTML page', htmlPage],
    ['half a JSON document', () => new Response('{"resource":', { headers: { 'content-type': 'application/json' } })],
    ['a JSON list', () => Response.json([])],
    ['a document without resource', () => Response.json({ authorization_servers: ['https://evil.example'] })],
    ['a document too large to be metadata', hugeJson(300_000)],
  ])('(%s) makes way for the next one, its reason kept (PRM-02)', async (_what, answer) => {
    const world = scene({ resource: { metadataAt: ['path', 'root'] } });
    world.servers.respond('/.well-known/oauth-protected-resource/mcp', answer);
    expect((await call(world)).status).toBe(200);
    const probes = world.client.actor.getSnapshot().context.discovery?.probes ?? [];
    expect(probes[0]?.verdict).not.toBe('found');
    expect(probes[0]?.reason).toMatch(/^It .+\.$/);
    expect(probes[1]).toMatchObject({ document: 'resource-metadata', verdict: 'found' });
    expect(world.servers.violations).toEqual([]);
  });
});

describe('a resource whose metadata cannot be had now', () => {
  it.each<[string, Parameters<Scene['servers']['respond']>[1], string]>([
    ['500', 500, 'server_unavailable'],
    ['429', 429, 'server_unavailable'],
    ['a broken connection', networkFails, 'network_unreachable'],
  ])('(%s) is tried again within bounds, and then fails as retryable, never as the legacy flow (PRM-02)', async (_what, answer, code) => {
    const world = scene();
    world.servers.respond('resource-metadata', answer, { times: Number.POSITIVE_INFINITY });
    const failure = await failureOfCall(whileTimePasses(world.clock, call(world)));
    expect(failure).toMatchObject({ code, phase: 'resource-metadata', retryable: true, action: 'retry' });
    expect(looks(world, 'resource-metadata')).toHaveLength(3);
    // Nothing was asked of the resource's own origin as if it were the authorization server.
    expect(looks(world, 'server-metadata')).toEqual([]);
    expect(world.user.shown).toEqual([]);
  });

  it('is found at the second try, after a pause (PRM-02)', async () => {
    const world = scene();
    world.servers.respond('resource-metadata', 503, { times: 2 });
    const response = await whileTimePasses(world.clock, call(world));
    expect(response.status).toBe(200);
    expect(looks(world, 'resource-metadata').map((line) => line.slice(-3))).toEqual(['503', '503', '200']);
    expect(world.client.status.warning).toBeUndefined();
  });

  it('waits as long as the server asks, within bounds (PRM-02)', async () => {
    const world = scene();
    world.servers.respond('resource-metadata', () => new Response('', { status: 503, headers: { 'retry-after': '5' } }));
    const startedAt = world.clock.now();
    const at: number[] = [];
    world.servers.respond(
      'resource-metadata',
      (_request, proceed) => {
        at.push(world.clock.now() - startedAt);
        return proceed();
      },
      { after: 0 },
    );
    await whileTimePasses(world.clock, call(world), 100);
    expect(at).toHaveLength(1);
    expect(at[0]).toBeGreaterThanOrEqual(5_000);
  });

  it('keeps every credential, so that the next request succeeds (PRM-02)', async () => {
    const world = scene();
    const outage = world.servers.respond('resource-metadata', 500, { times: Number.POSITIVE_INFINITY });
    await failureOfCall(whileTimePasses(world.clock, call(world)));
    outage.remove();
    expect((await call(world)).status).toBe(200);
    expect(world.client.status.step).toBe('authorized');
  });
});

describe('metadata that names a resource', () => {
  it.each(['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp/', 'https://mcp.example.com', 'https://mcp.example.com/'])(
    'that is the server or a parent of it (%s) is used (PRM-03)',
    async (named) => {
      const world = scene({ resource: { metadata: (document) => ({ ...document, resource: named }) } });
      expect((await call(world)).status).toBe(200);
    },
  );

  it.each([
    'https://evil.example/mcp',
    'https://mcp.example.com/mc',
    'https://mcp.example.com/mcp/sub',
    'https://mcp.example.com:8443/mcp',
  ])('that is another (%s) ends the flow with an error that names both (PRM-03)', async (named) => {
    const world = scene({ resource: { metadata: (document) => ({ ...document, resource: named }) } });
    const failure = await failureOfCall(call(world));
    expect(failure).toMatchObject({ code: 'resource_mismatch', details: { expected: 'https://mcp.example.com/mcp', received: named } });
    expect(world.servers.wire()).toHaveLength(2);
  });

  it('is judged by the embedder instead, if it says so (PRM-03)', async () => {
    const asked: unknown[] = [];
    const validateResource = (...args: readonly string[]) => asked.push(args) > 0;
    const world = scene({
      resource: { metadata: (document) => ({ ...document, resource: 'https://public.example.com/' }), checkAudience: false },
      client: { validateResource },
    });
    expect((await call(world)).status).toBe(200);
    expect(asked).toEqual([['https://public.example.com/', 'https://mcp.example.com/mcp']]);
    const strict = scene({ client: { validateResource: () => false } });
    expect(await failureOfCall(call(strict))).toMatchObject({ code: 'resource_mismatch' });
  });
});
