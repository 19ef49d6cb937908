import { describe, expect, it } from 'vitest';
import { failure } from '../../src/failure.ts';
import { fullClientMetadata } from '../../src/protocol/client-metadata.ts';
import type { ServerMetadata, TokenEndpointAuthMethod } from '../../src/protocol/documents.ts';
import { isRedirectUriRejection, type RegisteredClient, registerClient } from '../../src/protocol/registration.ts';
import { failureOfPromise } from '../helpers/local-server.ts';
import { type Answer, type PostEndpoint, postEndpoint } from '../helpers/token-endpoint.ts';

const redirectUri = 'http://127.0.0.1:49152/callback';
const clientMetadata = fullClientMetadata(
  { client_name: 'Example' },
  { redirectUris: [redirectUri], offlineAccess: true, scopes: ['mcp'] },
);

interface Register {
  readonly wish?: TokenEndpointAuthMethod;
  readonly supported?: readonly string[];
  readonly ours?: readonly TokenEndpointAuthMethod[];
}

function register(endpoint: PostEndpoint, o: Register = {}): Promise<RegisteredClient> {
  const metadata: ServerMetadata = {
    issuer: endpoint.issuer,
    registration_endpoint: endpoint.url,
    ...(o.supported && { token_endpoint_auth_methods_supported: o.supported }),
  };
  return registerClient(endpoint.http, {
    metadata,
    clientMetadata: { ...clientMetadata, ...(o.wish && { token_endpoint_auth_method: o.wish }) },
    supportedMethods: o.ours,
  });
}

async function answered(body: unknown, o: Register = {}, answer: Answer = {}): Promise<RegisteredClient> {
  return register(await postEndpoint({ status: 201, body, ...answer }), o);
}

async function refused(answer: Answer, o: Register = {}): Promise<import('../../src/failure.ts').Failure> {
  const endpoint = await postEndpoint(answer, '/register?tenant=planted');
  const failed = await failureOfPromise(register(endpoint, o));
  expect(failed.phase).toBe('registration');
  expect(failed.details.issuer).toBe(endpoint.issuer);
  return failed;
}

describe('the registration request', () => {
  it('sends the full client metadata as JSON, once (REG-03)', async () => {
    const endpoint = await postEndpoint({ status: 201, body: { client_id: 'client-1' } });
    await register(endpoint);
    expect(endpoint.posts).toHaveLength(1);
    expect(endpoint.posts[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(endpoint.posts[0]?.body ?? '')).toEqual({
      client_name: 'Example',
      redirect_uris: [redirectUri],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp',
    });
  });

  it.each([
    ['none where the server says nothing', {}, 'none'],
    ['none where it is supported', { supported: ['client_secret_basic', 'none'] }, 'none'],
    [
      'the strongest of both where none is not supported',
      { supported: ['client_secret_post', 'client_secret_basic'] },
      'client_secret_basic',
    ],
    ['the only one of both', { supported: ['client_secret_post', 'private_key_jwt'] }, 'client_secret_post'],
    [
      'a signature where the client can sign',
      { supported: ['client_secret_basic', 'private_key_jwt'], ours: ['private_key_jwt', 'client_secret_basic', 'none'] },
      'private_key_jwt',
    ],
    [
      'the wish of the embedder',
      { wish: 'client_secret_post', supported: ['client_secret_post', 'client_secret_basic', 'none'] },
      'client_secret_post',
    ],
    ['the wish where both have nothing in common', { supported: ['tls_client_auth'] }, 'none'],
  ] as const)('asks for %s (TOK-01)', async (_which, o: Register, expected) => {
    const endpoint = await postEndpoint({ status: 201, body: { client_id: 'client-1', client_secret: 'secret-1' } });
    await register(endpoint, o);
    expect(JSON.parse(endpoint.posts[0]?.body ?? '').token_endpoint_auth_method).toBe(expected);
  });

  it('goes to no endpoint that is missing or unsafe', async () => {
    const { http, issuer } = await postEndpoint({ body: {} });
    expect((await failureOfPromise(registerClient(http, { metadata: { issuer }, clientMetadata }))).code).toBe('metadata_incomplete');
    const metadata = { issuer, registration_endpoint: 'http://as.example.com/register' };
    expect((await failureOfPromise(registerClient(http, { metadata, clientMetadata }))).code).toBe('endpoint_refused');
  });
});

describe('the registration response', () => {
  it.each([200, 201])('is accepted with status %i (REG-04)', async (status) => {
    expect(await answered({ client_id: 'client-1' }, {}, { status })).toEqual({
      clientId: 'client-1',
      authMethod: 'none',
      redirectUris: [redirectUri],
      applicationType: 'native',
    });
  });

  it('gives the assigned method, the secret and its expiry (REG-04)', async () => {
    expect(
      await answered({
        client_id: 'client-1',
        client_secret: 'secret-1',
        client_secret_expires_at: 1_900_000_000,
        token_endpoint_auth_method: 'client_secret_post',
        application_type: 'web',
        redirect_uris: [redirectUri, 'http://127.0.0.1/callback'],
      }),
    ).toEqual({
      clientId: 'client-1',
      clientSecret: 'secret-1',
      secretExpiresAtEpochSeconds: 1_900_000_000,
      authMethod: 'client_secret_post',
      applicationType: 'web',
      redirectUris: [redirectUri, 'http://127.0.0.1/callback'],
    });
  });

  it.each([
    ['left out', undefined, undefined],
    ['null', null, undefined],
    ['0, which means never', 0, undefined],
    ['a text', '1900000000', 1_900_000_000],
    ['no number', 'never', undefined],
  ])('may have client_secret_expires_at %s (REG-04)', async (_how, client_secret_expires_at, expected) => {
    const client = await answered({
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(client.secretExpiresAtEpochSeconds).toBe(expected);
    expect(client.clientSecret).toBe('s');
  });

  it('may write null for what it does not have (REG-04)', async () => {
    expect(
      await answered({
        client_id: 'c',
        client_secret: null,
        token_endpoint_auth_method: null,
        redirect_uris: null,
        application_type: null,
        error: null,
      }),
    ).toEqual({ clientId: 'c', authMethod: 'none', redirectUris: [redirectUri], applicationType: 'native' });
  });

  it.each([
    ['the secret where no method is echoed', { client_secret: 's' }, {}, 'client_secret_basic'],
    ['the secret as the server supports it', { client_secret: 's' }, { supported: ['none', 'client_secret_post'] }, 'client_secret_post'],
    ['no secret where the server supports none only', { client_secret: 's' }, { supported: ['none'] }, 'none'],
    ['the method asked for', { client_secret: 's' }, { wish: 'client_secret_post' }, 'client_secret_post'],
    ['the secret where an empty method is echoed', { client_secret: 's', token_endpoint_auth_method: '' }, {}, 'client_secret_basic'],
    ['no authentication without a secret', {}, { wish: 'client_secret_basic' }, 'none'],
  ] as const)('leads to %s (REG-04)', async (_what, body, o: Register, expected) => {
    expect((await answered({ client_id: 'c', ...body }, o)).authMethod).toBe(expected);
  });

  it('gives no secret that will not be used (REG-04)', async () => {
    expect(await answered({ client_id: 'c', client_secret: 's', token_endpoint_auth_method: 'none' })).not.toHaveProperty('clientSecret');
  });

  it('covers the redirect URI that was sent even where the server writes it anew (REG-04)', async () => {
    const { redirectUris } = await answered({ client_id: 'c', redirect_uris: ['http://localhost/callback'] });
    expect(redirectUris).toEqual([redirectUri, 'http://localhost/callback']);
  });

  it('may give out an identifier in URL form, which stays a registered one (ISS-06)', async () => {
    const client = await answered({ client_id: 'https://as.example.com/clients/1' });
    expect(client).toEqual({
      clientId: 'https://as.example.com/clients/1',
      authMethod: 'none',
      redirectUris: [redirectUri],
      applicationType: 'native',
    });
  });

  it.each([
    ['no client_id', {}, /client_id/],
    ['an empty client_id', { client_id: '' }, /client_id/],
    ['a client_id that is no text', { client_id: 7 }, /client_id/],
    ['a secret that is no text', { client_id: 'c', client_secret: { planted: 1 } }, /client_secret/],
    ['a method without the secret it needs', { client_id: 'c', token_endpoint_auth_method: 'client_secret_basic' }, /no client_secret/],
    [
      'a method with an empty secret',
      { client_id: 'c', client_secret: '', token_endpoint_auth_method: 'client_secret_post' },
      /no client_secret/,
    ],
    ['a method this client cannot do', { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }, /private_key_jwt/],
    ['a body that is not JSON', '<html>planted</html>', /body/],
    ['a list', [], /body/],
  ])('cannot be used with %s (REG-04)', async (_what, body, reason) => {
    const failed = await refused({ status: 201, body });
    expect(failed.code).toBe('registration_unusable');
    expect(failed.details.reason).toMatch(reason);
    expect(JSON.stringify(failed)).not.toContain('planted');
  });
});

describe('a failed registration', () => {
  it.each([400, 401, 403, 200, 201])('carries the error text of the server, sanitised, at status %i (REG-04)', async (status) => {
    const failed = await refused({
      status,
      body: { error: 'invalid_client_metadata', error_description: `No\r\n\u202e such${'x'.repeat(900)}` },
    });
    expect(failed).toMatchObject({ code: 'registration_rejected', details: { status, oauthError: 'invalid_client_metadata' } });
    expect(failed.details.oauthErrorDescription).toMatch(/^No suchx+…$/);
    expect(failed.details.oauthErrorDescription?.length).toBeLessThanOrEqual(300);
    expect(failed.details.url).not.toContain('planted');
  });

  it('is a failure without a text of the server too (REG-04)', async () => {
    const failed = await refused({ status: 403, body: 'Forbidden', headers: { 'content-type': 'text/plain' } });
    expect(failed).toMatchObject({ code: 'registration_rejected', details: { status: 403 } });
    expect(failed.details).not.toHaveProperty('oauthError');
  });

  it.each(['message', 'detail'])('passes on the %s of a framework that knows no OAuth errors (REG-04)', async (member) => {
    const failed = await refused({ status: 422, body: { [member]: 'redirect_uris.0 is not allowed' } });
    expect(failed).toMatchObject({ code: 'registration_rejected', details: { oauthErrorDescription: 'redirect_uris.0 is not allowed' } });
  });

  it.each([500, 502, 503, 429])('is told to be worth a retry at status %i', async (status) => {
    const failed = await refused({ status, headers: { 'retry-after': '7' }, body: { error: 'server_error', error_description: 'down' } });
    expect(failed).toMatchObject({
      code: 'server_unavailable',
      retryable: true,
      details: { retryAfterSeconds: 7, oauthErrorDescription: 'down' },
    });
  });

  it.each([404, 405, 410])('points at old metadata at status %i', async (status) => {
    expect(await refused({ status, body: 'Not here' })).toMatchObject({
      code: 'registration_rejected',
      details: { metadataMayBeStale: true },
    });
  });

  it('is a network failure, and retryable, when nobody answers', async () => {
    const { http } = await postEndpoint({ body: {} });
    const gone = { http, issuer: 'http://127.0.0.1:1', url: 'http://127.0.0.1:1/register', posts: [] };
    expect(await failureOfPromise(register(gone))).toMatchObject({ code: 'network_unreachable', phase: 'registration', retryable: true });
  });

  it('ends as cancelled when the caller gives up', async () => {
    const { http, issuer, url, posts } = await postEndpoint({ body: { client_id: 'c' } });
    const metadata = { issuer, registration_endpoint: url };
    const given = registerClient(http, { metadata, clientMetadata, signal: AbortSignal.abort() });
    expect((await failureOfPromise(given)).code).toBe('cancelled');
    expect(posts).toHaveLength(0);
  });

  it('follows no redirect, and points at old metadata', async () => {
    const endpoint = await postEndpoint({ status: 307, headers: { location: '/elsewhere' }, body: {} });
    expect(await failureOfPromise(register(endpoint))).toMatchObject({ code: 'redirect_refused', details: { metadataMayBeStale: true } });
    expect(endpoint.posts).toHaveLength(1);
  });
});

describe('a registration that failed because of the redirect URIs', () => {
  it.each([
    ['invalid_redirect_uri', undefined, true],
    ['invalid_client_metadata', 'redirect_uris for web clients must not use localhost', true],
    ['invalid_request', 'Invalid application_type', true],
    ['invalid_client_metadata', 'scope is not allowed', false],
    ['invalid_client_metadata', undefined, false],
    ['access_denied', 'redirect to the administrator', false],
  ])('is told by %s and %s: %s (REG-07)', (oauthError, oauthErrorDescription, expected) => {
    const details = { oauthError, ...(oauthErrorDescription !== undefined && { oauthErrorDescription }) };
    expect(isRedirectUriRejection(failure('registration_rejected', 'registration', details))).toBe(expected);
  });

  it('is no other failure (REG-07)', () => {
    expect(isRedirectUriRejection(failure('registration_unusable', 'registration', { oauthError: 'invalid_redirect_uri' }))).toBe(false);
  });
});
