import { describe, expect, it } from 'vitest';
import { discover } from '../src/diagnosis.ts';
import { AuthorizationError } from '../src/errors.ts';
import {
  type Answer,
  brief,
  challenge,
  diagnosisOf,
  notFound,
  RESOURCE_WELL_KNOWN,
  resourceMetadata,
  SERVER_WELL_KNOWN,
  serverMetadata,
  texts,
  world,
} from './helpers/diagnosed-world.ts';
import { json, localServer } from './helpers/local-server.ts';

describe('a server that does it right', () => {
  it('is ready, with every probe by URL, status, time and verdict and nothing to mend (OBS-05)', async () => {
    const server = await world();
    let now = 0;
    const diagnosis = await discover({ resource: `${server.origin}/mcp`, clock: { now: () => (now += 1), sleep: async () => {} } });
    const { origin } = server;
    expect(diagnosis).toEqual({
      resource: `${origin}/mcp`,
      verdict: 'ready',
      summary: `Ready: clients authorize at ${origin} with a client ID metadata document.`,
      probes: [
        { document: 'resource', url: `${origin}/mcp`, status: 401, durationMs: expect.any(Number), verdict: 'found' },
        {
          document: 'resource-metadata',
          url: `${origin}${RESOURCE_WELL_KNOWN}`,
          status: 200,
          durationMs: expect.any(Number),
          verdict: 'found',
        },
        {
          document: 'server-metadata',
          url: `${origin}${SERVER_WELL_KNOWN}`,
          status: 200,
          durationMs: expect.any(Number),
          verdict: 'found',
        },
      ],
      findings: [],
      challenge: { scheme: 'Bearer', resourceMetadataUrl: `${origin}${RESOURCE_WELL_KNOWN}`, scopes: ['read'] },
      resourceMetadata: { resource: `${origin}/mcp`, authorization_servers: [origin] },
      issuer: origin,
      serverMetadata: expect.objectContaining({ issuer: origin }),
      registration: 'metadata-document',
    });
    for (const { durationMs } of diagnosis.probes) expect(durationMs).toBeGreaterThan(0);
    expect(server.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /mcp',
      `GET ${RESOURCE_WELL_KNOWN}`,
      `GET ${SERVER_WELL_KNOWN}`,
    ]);
  });

  it('is usable by clients that register dynamically or beforehand (OBS-05)', async () => {
    const dynamic = await diagnosisOf({
      [SERVER_WELL_KNOWN]: (response, origin, request) =>
        serverMetadata({ client_id_metadata_document_supported: false, registration_endpoint: `${origin}/register` })(
          response,
          origin,
          request,
        ),
    });
    expect([dynamic.verdict, dynamic.registration, brief(dynamic)]).toEqual(['ready', 'dynamic', ['info: MCP: Client Registration']]);
    const beforehand = await diagnosisOf({ [SERVER_WELL_KNOWN]: serverMetadata({ client_id_metadata_document_supported: null }) });
    expect([beforehand.verdict, beforehand.registration, brief(beforehand)]).toEqual([
      'usable',
      'pre-registered',
      ['warning: MCP: Client Registration'],
    ]);
    expect(beforehand.summary).toBe(
      `Usable: clients authorize at ${beforehand.origin} with a client identifier that is registered beforehand; one thing is not as it should be.`,
    );
  });
});

describe('a server that asks for nothing', () => {
  it('is open, and the session it began is ended (OBS-05)', async () => {
    const server = await localServer((request, response) => {
      if (request.method === 'DELETE') response.writeHead(204).end();
      else if (request.headers['mcp-method'] === 'initialize')
        json(response, { jsonrpc: '2.0', id: 1, result: {} }, 200, { 'mcp-session-id': 's-1' });
      else if (request.url === '/mcp')
        json(response, { jsonrpc: '2.0', id: 1, error: { code: -32_000, message: 'Server not initialized' } }, 400);
      else json(response, {}, 404);
    });
    const diagnosis = await discover({ resource: `${server.origin}/mcp` });
    expect(diagnosis).toMatchObject({ verdict: 'open', summary: 'Open: the resource answers without an access token.', findings: [] });
    expect(diagnosis).not.toHaveProperty('issuer');
    expect(server.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /mcp',
      'POST /mcp',
      'DELETE /mcp',
      `GET ${RESOURCE_WELL_KNOWN}`,
      'GET /.well-known/oauth-protected-resource',
    ]);
    expect(server.requests[2]?.headers).toMatchObject({ 'mcp-session-id': 's-1' });
  });

  it('is open when it answers the newest revision, and a stream is not waited for (OBS-05)', async () => {
    const endless: Answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
    expect(await diagnosisOf({ '/mcp': endless, [RESOURCE_WELL_KNOWN]: notFound })).toMatchObject({
      verdict: 'open',
      probes: [{ status: 200 }, {}, {}],
    });
  });

  it('is not taken for open when it is a web page (OBS-05)', async () => {
    const page: Answer = (response, _, request) =>
      request.method === 'GET' ? response.writeHead(200, { 'content-type': 'text/html' }).end('<html>') : response.writeHead(405).end();
    const diagnosis = await diagnosisOf({ '/mcp': page, [RESOURCE_WELL_KNOWN]: notFound });
    expect(diagnosis.verdict).toBe('broken');
    expect(diagnosis.summary).toBe(
      'Broken: The resource neither asks for an access token nor answers an MCP request (405, 200). Is the URL that of the MCP endpoint?',
    );
  });

  it('is asked in the way of the oldest transport too (OBS-05)', async () => {
    const sse: Answer = (response, origin, request) =>
      request.method === 'GET' ? challenge(response, origin, request) : response.writeHead(405).end();
    expect(await diagnosisOf({ '/mcp': sse })).toMatchObject({
      verdict: 'ready',
      probes: [{ status: 405 }, { status: 405 }, { status: 401 }, {}, {}],
    });
  });
});

describe('the diagnosis itself', () => {
  it('asks the policy about URLs that servers name, and reports its refusal (OBS-05)', async () => {
    const asked: string[] = [];
    const diagnosis = await diagnosisOf({}, { allowUrl: (_url, purpose) => asked.push(purpose) > 0 && purpose === 'resource-metadata' });
    expect(asked).toEqual(['resource-metadata', 'server-metadata', 'server-metadata']);
    expect([diagnosis.verdict, texts(diagnosis)]).toEqual(['broken', expect.stringContaining('The policy `allowUrl` refuses it.')]);
  });

  it('says in plain words where a server names places that it has no business naming, and asks nothing there (OBS-05, SEC-03)', async () => {
    const inner = 'https://169.254.169.254';
    const challenged = await diagnosisOf({
      '/mcp': (response) => response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${inner}/metadata"` }).end(),
    });
    expect(challenged).toMatchObject({
      verdict: 'usable',
      probes: [{}, { url: `${inner}/metadata`, verdict: 'refused' }, { verdict: 'found' }, {}],
    });
    expect(texts(challenged)).toContain(
      `The challenge names ${inner}/metadata as resource_metadata, where careful clients do not go. 169.254.169.254 is a link-local address, and the resource 127.0.0.1 is not there.`,
    );

    const issued = await diagnosisOf({ [RESOURCE_WELL_KNOWN]: resourceMetadata({ authorization_servers: [inner] }) });
    expect(issued).toMatchObject({ verdict: 'broken', probes: [{}, {}, { verdict: 'refused' }, { verdict: 'refused' }] });
    expect(brief(issued).filter((finding) => finding.startsWith('error'))).toEqual([
      'error: MCP Security Best Practices: Server-Side Request Forgery',
    ]);

    const named = await diagnosisOf({ [SERVER_WELL_KNOWN]: serverMetadata({ token_endpoint: `${inner}/token` }) });
    expect(named.verdict).toBe('broken');
    expect(named.summary).toContain('169.254.169.254 is a link-local address');
    const excepted = await diagnosisOf(
      { [SERVER_WELL_KNOWN]: serverMetadata({ token_endpoint: `${inner}/token` }) },
      { serverUrls: { except: ({ origin }) => origin === inner } },
    );
    expect(excepted.verdict).toBe('ready');
  });

  it('warns of plain http outside loopback (OBS-05)', async () => {
    const diagnosis = await discover({ resource: 'http://mcp.internal/mcp', fetch: async () => new Response(null, { status: 401 }) });
    expect(brief(diagnosis)).toContain('warning: OAuth 2.1 section 1.5');
  });

  it('rejects what is no resource, and ends when it is cancelled (OBS-05)', async () => {
    await expect(discover({ resource: 'mcp.example.com' })).rejects.toMatchObject({
      name: 'AuthorizationError',
      code: 'invalid_configuration',
    });
    await expect(discover({ resource: 'https://h.example/mcp', signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AuthorizationError);
  });

  it('comes to an end with a server that never does (OBS-05, SEC-02)', async () => {
    const slow: Answer = () => {};
    const diagnosis = await diagnosisOf({ [RESOURCE_WELL_KNOWN]: slow }, { limits: { requestTimeoutMs: 500 } });
    expect(diagnosis.verdict).toBe('broken');
    expect(diagnosis.probes[1]).toMatchObject({ verdict: 'unavailable', reason: 'The limit is 500 ms.' });
  });
});
