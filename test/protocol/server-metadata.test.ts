import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import type { FetchLike } from '../../src/options.ts';
import type { ServerMetadata } from '../../src/protocol/documents.ts';
import {
  checkUsable,
  legacyServerMetadata,
  lookForServerMetadata,
  problemsOfUse,
  type ServerMetadataLook,
} from '../../src/protocol/server-metadata.ts';
import { serverMetadataUrls } from '../../src/protocol/well-known.ts';
import { httpWith } from '../helpers/http-with.ts';
import { failureOfPromise, json, localServer } from '../helpers/local-server.ts';

const ISSUER = 'https://as.example';
const URL_THERE = 'https://as.example/.well-known/oauth-authorization-server';
const VALID = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  code_challenge_methods_supported: ['S256'],
} as const satisfies ServerMetadata;

function look(answer: (request: Request) => Response, options: Partial<ServerMetadataLook> = {}) {
  const fetch: FetchLike = async (input, init) => answer(new Request(input, init));
  const http = httpWith({ fetch });
  return lookForServerMetadata(http, { url: URL_THERE, issuer: ISSUER, protocolVersion: '2026-07-28', now: () => 0, ...options });
}

async function found(document: unknown, options?: Partial<ServerMetadataLook>): Promise<ServerMetadata> {
  const looked = await look(() => Response.json(document), options);
  if (looked.outcome === 'absent') throw new Error(looked.probe.reason);
  return looked.document;
}

describe('a document that is there', () => {
  it('is found at the third place by asking a real server in order (ASM-01, ASM-02)', async () => {
    const server = await localServer((request, response, origin) => {
      if (request.url === '/tenant/.well-known/openid-configuration')
        json(response, { ...VALID, issuer: `${origin}/tenant` }, 200, { etag: 'W/"7"', 'cache-control': 'no-cache' });
      else if (request.url?.startsWith('/.well-known/openid')) json(response, '<html>', 200, { 'content-type': 'text/html' });
      else json(response, {}, 404);
    });
    const issuer = `${server.origin}/tenant`;
    const http = httpWith();
    const seen: unknown[] = [];
    for (const url of serverMetadataUrls(issuer)) {
      const looked = await lookForServerMetadata(http, { url, issuer, protocolVersion: '2026-07-28', now: () => 0 });
      seen.push([looked.outcome, looked.probe.verdict, looked.probe.status]);
      if (looked.outcome === 'found') expect(looked).toMatchObject({ document: { issuer }, etag: 'W/"7"', maxAgeSeconds: 0 });
    }
    expect(seen).toEqual([
      ['absent', 'absent', 404],
      ['absent', 'invalid', 200],
      ['found', 'found', 200],
    ]);
    expect(server.requests.map(({ target, headers }) => [target, headers['mcp-protocol-version']])).toEqual([
      ['/.well-known/oauth-authorization-server/tenant', '2026-07-28'],
      ['/.well-known/openid-configuration/tenant', '2026-07-28'],
      ['/tenant/.well-known/openid-configuration', '2026-07-28'],
    ]);
  });

  it('is trimmed to what the flow uses, null and empty members left out (ASM-06)', async () => {
    expect(
      await found({
        ...VALID,
        registration_endpoint: null,
        revocation_endpoint: '',
        scopes_supported: null,
        grant_types_supported: 'authorization_code',
        client_id_metadata_document_supported: 'true',
        authorization_response_iss_parameter_supported: true,
        jwks_uri: 'javascript:alert(1)',
        userinfo_endpoint: 7,
        __proto__: { polluted: true },
      }),
    ).toEqual({ ...VALID, authorization_response_iss_parameter_supported: true });
  });

  it('keeps of its scopes only what can be a scope: nothing hostile is asked for or shown (SCO-01, TOK-04)', async () => {
    const document = await found({ ...VALID, scopes_supported: ['read', 'read admin', 'x\u001b[31m', '', '\u202ey', 'write'] });
    expect(document.scopes_supported).toEqual(['read', 'write']);
  });

  it('needs at the OpenID Connect location only what OAuth needs (ASM-06)', async () => {
    const url = 'https://as.example/.well-known/openid-configuration';
    expect(await found(VALID, { url })).toEqual(VALID);
    expect(await found({ issuer: ISSUER }, { url })).toEqual({ issuer: ISSUER });
  });

  it.each([null, 7, '', undefined])('is invalid with the issuer %j (ASM-02)', async (issuer) => {
    const looked = await look(() => Response.json({ ...VALID, issuer }), issuer === '' ? { issuer: 'https://x.example' } : {}).catch(
      (error: unknown) => error,
    );
    // An empty issuer is a string, and not the right one.
    if (issuer === '') expect(looked).toMatchObject({ failure: { code: 'issuer_mismatch' } });
    else
      expect(looked).toMatchObject({
        outcome: 'absent',
        probe: { verdict: 'invalid', reason: 'It is not valid metadata: issuer missing or of the wrong type.' },
      });
  });
});

describe('a server that has none, or cannot answer', () => {
  it.each([400, 401, 403, 404, 405, 410, 502])('goes on for %i (ASM-02)', async (status) => {
    expect(await look(() => new Response('', { status }))).toMatchObject({ outcome: 'absent', probe: { verdict: 'absent', status } });
  });

  it.each([500, 503, 504, 429])('stops with a retryable failure for %i (ASM-02)', async (status) => {
    const failure = await failureOfPromise(
      look(
        () =>
          new Response('', { status, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:10 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' } }),
      ),
    );
    expect(failure).toMatchObject({
      code: 'server_unavailable',
      phase: 'server-metadata',
      retryable: true,
      details: { status, retryAfterSeconds: 10 },
    });
  });

  it.each(['', 'null', '[]', '{"issuer":', '<html></html>'])('goes on for the body %j (ASM-02)', async (body) => {
    expect(await look(() => new Response(body))).toMatchObject({ outcome: 'absent', probe: { verdict: 'invalid' } });
  });
});

describe('the issuer of a document', () => {
  it.each([
    'https://honest.example',
    'https://as.example/',
    'https://AS.example',
    'https://as.example:443',
    'https://as.example/tenant',
    'http://as.example',
    '',
  ])('must be the string it was fetched for, and not %j (ASM-03)', async (issuer) => {
    const failure = await failureOfPromise(look(() => Response.json({ ...VALID, issuer })));
    expect(failure).toMatchObject({
      code: 'issuer_mismatch',
      phase: 'server-metadata',
      details: { expected: ISSUER, received: issuer, url: URL_THERE },
    });
    expect(failure.message).toContain(`"${issuer}"`);
  });

  it('may differ by the slash of a path-less issuer where the policy says so, and by nothing else (ASM-03)', async () => {
    const policy = { tolerateTrailingSlash: true };
    expect((await found({ ...VALID, issuer: `${ISSUER}/` }, { policy })).issuer).toBe(`${ISSUER}/`);
    expect((await found(VALID, { policy, issuer: `${ISSUER}/` })).issuer).toBe(ISSUER);
    for (const [issuer, named] of [
      [`${ISSUER}/tenant`, `${ISSUER}/tenant/`],
      [`${ISSUER}/tenant/`, `${ISSUER}/tenant`],
      [ISSUER, `${ISSUER}//`],
      [ISSUER, 'https://AS.example/'],
    ] as const) {
      expect((await failureOfPromise(found({ ...VALID, issuer: named }, { policy, issuer }))).code, named).toBe('issuer_mismatch');
    }
    expect((await failureOfPromise(found({ ...VALID, issuer: `${ISSUER}/` }, { policy: { tolerateTrailingSlash: false } }))).code).toBe(
      'issuer_mismatch',
    );
  });

  it('is shown cleaned when it is hostile text (ASM-03, TOK-04)', async () => {
    const failure = await failureOfPromise(found({ ...VALID, issuer: `https://x\u202E\r\nforged ${'y'.repeat(9999)}` }));
    expect(failure.details.received).toMatch(/^https:\/\/x forged y+…$/);
  });
});

describe('the endpoints of a document', () => {
  it.each([
    ['authorization_endpoint', 'javascript:alert(document.domain)'],
    ['token_endpoint', 'http://as.example/token'],
    ['registration_endpoint', 'file:///etc/passwd'],
    ['revocation_endpoint', 'data:,x'],
    ['pushed_authorization_request_endpoint', '/par'],
    ['device_authorization_endpoint', ['https://as.example/device']],
    ['token_endpoint', { url: 'https://as.example/token' }],
    ['token_endpoint', 'https://user:pw@as.example/token'],
  ])('are refused where %s is %j (ASM-04)', async (name, endpoint) => {
    const failure = await failureOfPromise(found({ ...VALID, [name]: endpoint }));
    expect(failure).toMatchObject({ code: 'endpoint_refused', details: { issuer: ISSUER, problems: [expect.stringContaining(name)] } });
    expect(JSON.stringify(failure)).not.toContain('user:pw');
  });

  it('are refused all at once, and accepted as https or http on loopback (ASM-04)', async () => {
    const failure = await failureOfPromise(found({ ...VALID, token_endpoint: 7, registration_endpoint: 'http://evil.example/r' }));
    expect(failure.details.problems).toEqual(['token_endpoint is not a string', 'registration_endpoint is "http://evil.example/r"']);
    const endpoints = {
      token_endpoint: 'http://127.0.0.1:1/token',
      registration_endpoint: 'http://[::1]/r',
      revocation_endpoint: 'https://other.example/r?a=b',
    };
    expect(await found({ ...VALID, ...endpoints })).toEqual({ ...VALID, ...endpoints });
  });
});

describe('use of a document', () => {
  const codes = (metadata: ServerMetadata, policy = {}): string[] => problemsOfUse(metadata, policy).map(({ failure }) => failure.code);
  const { code_challenge_methods_supported: _, ...withoutPkce } = VALID;

  it('is refused unless PKCE with S256 is advertised (ASM-05)', () => {
    expect(() => checkUsable(VALID)).not.toThrow();
    expect(() => checkUsable({ ...VALID, code_challenge_methods_supported: ['plain', 'S256'] })).not.toThrow();
    expect(codes(withoutPkce)).toEqual(['pkce_not_supported']);
    expect(codes({ ...VALID, code_challenge_methods_supported: [] })).toEqual(['pkce_not_supported']);
    expect(codes({ ...VALID, code_challenge_methods_supported: ['plain', 's256'] })).toEqual(['pkce_not_supported']);
    expect(() => checkUsable(withoutPkce)).toThrow(FailureError);
  });

  it('may be allowed for an issuer that says nothing of PKCE, not for one that says no (ASM-05)', () => {
    expect(codes(withoutPkce, { assumePkce: true })).toEqual([]);
    expect(codes(withoutPkce, { assumePkce: false })).toEqual(['pkce_not_supported']);
    expect(codes({ ...VALID, code_challenge_methods_supported: ['plain'] }, { assumePkce: true })).toEqual(['pkce_not_supported']);
  });

  it('refuses PKCE that a document lists in the wrong form (ASM-05)', async () => {
    expect(codes(await found({ ...VALID, code_challenge_methods_supported: 'S256' }))).toEqual(['pkce_not_supported']);
  });

  it('names every endpoint that the flow lacks (ASM-06)', () => {
    expect(problemsOfUse({ issuer: ISSUER }).map(({ failure }) => [failure.code, failure.details.problems])).toEqual([
      ['metadata_incomplete', ['authorization_endpoint', 'token_endpoint']],
      ['pkce_not_supported', undefined],
    ]);
    expect(() => checkUsable({ ...VALID, token_endpoint: undefined } as unknown as ServerMetadata)).toThrow(/no token_endpoint/);
  });

  it('has defaults on the legacy path: the endpoints of revision 2025-03-26 on the origin (PRM-05)', () => {
    const legacy = legacyServerMetadata('https://h.example');
    expect(legacy).toEqual({
      issuer: 'https://h.example',
      authorization_endpoint: 'https://h.example/authorize',
      token_endpoint: 'https://h.example/token',
      registration_endpoint: 'https://h.example/register',
      code_challenge_methods_supported: ['S256'],
    });
    expect(() => checkUsable(legacy)).not.toThrow();
  });
});

describe('a document that is kept', () => {
  const unchanged = ({ headers }: Request): Response =>
    headers.get('if-none-match') === '"1"'
      ? new Response(null, { status: 304, headers: { 'cache-control': 'max-age=60' } })
      : Response.json({ ...VALID, token_endpoint: `${ISSUER}/new` });

  it('is found again by its validator (ASM-07)', async () => {
    expect(await look(unchanged, { cached: { document: VALID, etag: '"1"' } })).toMatchObject({
      outcome: 'found',
      document: VALID,
      probe: { verdict: 'cached', status: 304 },
      etag: '"1"',
      maxAgeSeconds: 60,
    });
    expect(await look(unchanged, { cached: { document: VALID, etag: '"0"' } })).toMatchObject({
      document: { token_endpoint: `${ISSUER}/new` },
      probe: { verdict: 'found' },
    });
  });

  it('never stands in for the document of another issuer (ASM-07)', async () => {
    const foreign = { ...VALID, issuer: 'https://other.example' };
    expect(await look(unchanged, { cached: { document: foreign, etag: '"1"' } })).toMatchObject({
      document: { issuer: ISSUER, token_endpoint: `${ISSUER}/new` },
    });
  });

  it('is absent when a server says "unchanged" without having been asked (ASM-07)', async () => {
    expect(await look(() => new Response(null, { status: 304 }))).toMatchObject({ outcome: 'absent', probe: { status: 304 } });
  });
});

it('goes on past flaws of the document where a diagnosis asks for them, and drops unsafe endpoints', async () => {
  const flaws: string[] = [];
  const document = await found(
    { ...VALID, issuer: 'https://other.example', token_endpoint: 'javascript:x' },
    { onFlaw: ({ failure }) => flaws.push(failure.code) },
  );
  expect(flaws).toEqual(['issuer_mismatch', 'endpoint_refused']);
  expect(document.token_endpoint).toBeUndefined();
});
