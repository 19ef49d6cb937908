import { describe, expect, it } from 'vitest';
import { discover } from '../../src/diagnosis.ts';
import {
  type Answer,
  brief,
  diagnosisOf,
  notFound,
  RESOURCE_WELL_KNOWN,
  resourceMetadata,
  SERVER_WELL_KNOWN,
  serverMetadata,
  texts,
  world,
} from '../helpers/diagnosed-world.ts';

describe('what a resource does wrong', () => {
  it('is a 401 without a challenge: a warning, and discovery goes on (OBS-05, CHA-03)', async () => {
    const bare: Answer = (response) => response.writeHead(401).end();
    const diagnosis = await diagnosisOf({ '/mcp': bare });
    expect([diagnosis.verdict, brief(diagnosis), diagnosis.issuer]).toEqual(['usable', ['warning: RFC 6750 section 3'], diagnosis.origin]);
    expect(texts(diagnosis)).toContain('no WWW-Authenticate header');
  });

  it('is a challenge that leads nowhere, or names no metadata, or asks for offline_access (OBS-05)', async () => {
    const astray: Answer = (response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="/relative", scope="read offline_access"' }).end();
    const diagnosis = await diagnosisOf({ '/mcp': astray });
    expect(brief(diagnosis)).toEqual(['warning: MCP: Refresh Tokens', 'warning: RFC 9728 section 5.1']);
    expect(texts(diagnosis)).toContain('The challenge names /relative as resource_metadata, but nothing usable is there.');
    const silent: Answer = (response) => response.writeHead(403, { 'www-authenticate': 'Bearer' }).end();
    expect(brief(await diagnosisOf({ '/mcp': silent }))).toEqual([
      'warning: MCP: Error Handling',
      'info: RFC 9728 section 5.1',
      'info: MCP: Scope Selection Strategy',
    ]);
  });

  it('is metadata for another resource: an error, and the rest is examined all the same (OBS-05, PRM-03)', async () => {
    const diagnosis = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: resourceMetadata({ resource: 'https://other.example/mcp' }),
      [SERVER_WELL_KNOWN]: serverMetadata({ code_challenge_methods_supported: undefined }),
    });
    expect([diagnosis.verdict, brief(diagnosis)]).toEqual([
      'broken',
      ['error: RFC 9728 section 3.3', 'error: MCP: Authorization Code Protection'],
    ]);
    expect(diagnosis.summary).toContain('It names "https://other.example/mcp"');
    expect(diagnosis.probes[1]).toMatchObject({ verdict: 'invalid' });
  });

  it('is metadata that spells the resource in its own way, or names a parent (OBS-05, PRM-03)', async () => {
    const spelled = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: (response, origin, request) => resourceMetadata({ resource: `${origin}/mcp/` })(response, origin, request),
    });
    expect([spelled.verdict, brief(spelled)]).toEqual(['ready', ['info: RFC 9728 section 3.3']]);
    const parent = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: (response, origin, request) => resourceMetadata({ resource: origin })(response, origin, request),
    });
    expect(texts(parent)).toContain('a parent of');
  });

  it('is no metadata: a warning, and its own origin is examined as revision 2025-03-26 would (OBS-05, PRM-05)', async () => {
    const published = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: notFound,
      '/mcp': (response) => response.writeHead(401, { 'www-authenticate': 'Bearer scope="x"' }).end(),
    });
    expect([published.verdict, brief(published)[0], published.registration]).toEqual([
      'usable',
      'warning: MCP: Protected Resource Metadata Discovery Requirements',
      'metadata-document',
    ]);
    const nothing = await diagnosisOf({ [RESOURCE_WELL_KNOWN]: notFound, [SERVER_WELL_KNOWN]: notFound });
    expect(nothing).toMatchObject({
      verdict: 'usable',
      registration: 'dynamic',
      serverMetadata: { token_endpoint: `${nothing.origin}/token` },
    });
    expect(brief(nothing)).toContain('warning: MCP 2025-03-26: Fallbacks');
  });

  it('is metadata without authorization servers, or with offline_access among its scopes (OBS-05)', async () => {
    const diagnosis = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: resourceMetadata({ authorization_servers: null, scopes_supported: ['read', 'offline_access'] }),
    });
    expect([diagnosis.verdict, brief(diagnosis)]).toEqual([
      'usable',
      ['warning: MCP: Authorization Server Location', 'warning: MCP: Refresh Tokens'],
    ]);
  });

  it('is metadata that cannot be read now: an error, and nothing is guessed from it (OBS-05, PRM-02)', async () => {
    const down: Answer = (response) => response.writeHead(503).end('<html>');
    const diagnosis = await diagnosisOf({ [RESOURCE_WELL_KNOWN]: down });
    expect([diagnosis.verdict, brief(diagnosis), diagnosis.issuer]).toEqual(['broken', ['error: RFC 9728 section 3'], undefined]);
    expect(diagnosis.probes).toMatchObject([{}, { verdict: 'unavailable', status: 503 }, { verdict: 'absent', status: 404 }]);
    expect(texts(diagnosis)).toContain('It answered 503.');
  });

  it('is JSON under another content type, or a redirect to a login page (OBS-05)', async () => {
    const text: Answer = (response, origin) =>
      response
        .writeHead(200, { 'content-type': 'text/plain' })
        .end(JSON.stringify({ resource: `${origin}/mcp`, authorization_servers: [origin] }));
    expect(brief(await diagnosisOf({ [RESOURCE_WELL_KNOWN]: text }))).toEqual(['warning: RFC 9728 section 3.2']);
    const login: Answer = (response) => response.writeHead(302, { location: 'https://login.example/?code=secret' }).end();
    const diagnosis = await diagnosisOf({ '/mcp': login });
    expect([diagnosis.verdict, JSON.stringify(diagnosis).includes('secret')]).toEqual(['broken', false]);
    expect(diagnosis.summary).toContain('It leads to another origin (https://login.example/)');
    expect(diagnosis.resourceMetadata).toBeDefined();
  });

  it('is being down: an error, and no look is wasted where none can be answered (OBS-05)', async () => {
    const down = await diagnosisOf({ '/mcp': (response) => response.writeHead(500).end() });
    expect([down.verdict, down.issuer]).toEqual(['broken', down.origin]);
    const cut = await diagnosisOf({ '/mcp': (_, __, request) => request.socket.destroy() });
    expect(cut).toMatchObject({
      verdict: 'unavailable',
      summary: 'Nothing answered: see that the server runs, and that the URL and the network are right, then try again.',
      probes: [{ document: 'resource', verdict: 'unavailable' }],
      findings: [{ level: 'error', rule: 'MCP: Streamable HTTP' }],
    });
    const failing: Answer = (response) => response.writeHead(503).end();
    const overloaded = await diagnosisOf({
      '/mcp': failing,
      [RESOURCE_WELL_KNOWN]: failing,
      '/.well-known/oauth-protected-resource': failing,
    });
    expect([overloaded.verdict, overloaded.summary]).toEqual([
      'unavailable',
      'Unavailable: the server answers with failures of its own (503); try again later, or ask its operator.',
    ]);
  });
});

describe('what an authorization server does wrong', () => {
  it('is listed all at once: foreign issuer, unsafe endpoint, no PKCE, no registration (OBS-05)', async () => {
    const diagnosis = await diagnosisOf({
      [SERVER_WELL_KNOWN]: serverMetadata({
        issuer: 'https://honest.example',
        token_endpoint: 'javascript:alert(1)',
        code_challenge_methods_supported: ['plain'],
        client_id_metadata_document_supported: false,
        authorization_response_iss_parameter_supported: false,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      }),
    });
    expect(diagnosis.verdict).toBe('broken');
    expect(brief(diagnosis)).toEqual([
      'error: RFC 8414 section 3.3',
      'error: MCP: Communication Security',
      'error: RFC 8414 section 2',
      'error: MCP: Authorization Code Protection',
      'warning: MCP: Client Registration',
      'warning: RFC 8414 section 2',
      'info: MCP: Refresh Tokens',
      'info: RFC 9207 section 3',
    ]);
    expect(texts(diagnosis)).toContain('names "https://honest.example"');
    expect(texts(diagnosis)).toContain('token_endpoint is "javascript:alert(1)"');
    expect(diagnosis.issuer).toBe(diagnosis.origin);
  });

  it('is no metadata where the resource names it, or an identifier that is none (OBS-05)', async () => {
    const none = await diagnosisOf({ [SERVER_WELL_KNOWN]: notFound });
    expect([none.verdict, brief(none)]).toEqual(['broken', ['error: RFC 8414 section 3']]);
    const odd = await diagnosisOf({ [RESOURCE_WELL_KNOWN]: resourceMetadata({ authorization_servers: ['http://as.example?x=1'] }) });
    expect([odd.verdict, brief(odd)]).toEqual(['broken', ['error: RFC 8414 section 2']]);
    const down = await diagnosisOf({ [SERVER_WELL_KNOWN]: (response) => response.writeHead(503).end() });
    expect([down.verdict, brief(down)]).toEqual(['broken', ['error: RFC 8414 section 3']]);
  });

  it('is a warning where another server of the resource works (OBS-05, PRM-04)', async () => {
    const diagnosis = await diagnosisOf({
      [RESOURCE_WELL_KNOWN]: (response, origin, request) =>
        resourceMetadata({ authorization_servers: [`${origin}/tenant`, origin, 'https://never-asked.example'] })(response, origin, request),
      [`${SERVER_WELL_KNOWN}/tenant`]: serverMetadata(),
    });
    expect([diagnosis.verdict, diagnosis.issuer, brief(diagnosis)]).toEqual([
      'usable',
      diagnosis.origin,
      ['warning: RFC 8414 section 3.3', 'info: RFC 9728 section 7.6'],
    ]);
    expect(diagnosis.findings[0]?.text).toContain(`${diagnosis.origin}/tenant: `);
  });

  it('is worth a word where clients may trip: other origins, no secretless clients (OBS-05)', async () => {
    const diagnosis = await diagnosisOf({
      [SERVER_WELL_KNOWN]: serverMetadata({
        token_endpoint: 'https://token.example/t?x=1',
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      }),
    });
    expect(brief(diagnosis)).toEqual(['warning: MCP: Client Registration', 'info: RFC 8414 section 2']);
    expect(texts(diagnosis)).toContain('token_endpoint is on another origin than the issuer: https://token.example/t');
  });

  it('is judged by the exceptions made for its issuer (OBS-05)', async () => {
    const server = await world({ [SERVER_WELL_KNOWN]: serverMetadata({ code_challenge_methods_supported: undefined }) });
    const resource = `${server.origin}/mcp`;
    expect((await discover({ resource })).verdict).toBe('broken');
    expect((await discover({ resource, issuers: { [server.origin]: { assumePkce: true } } })).verdict).toBe('ready');
  });
});
