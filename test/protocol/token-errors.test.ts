import { describe, expect, it } from 'vitest';
import { failureOfPromise } from '../helpers/local-server.ts';
import { postEndpoint } from '../helpers/token-endpoint.ts';
import { bothGrants, failed, tokens } from '../helpers/token-requests.ts';

describe.each(bothGrants)('an error of the token endpoint (%s)', (phase, send) => {
  const ended = phase === 'token' ? 'code_rejected' : 'refresh_rejected';

  it.each([
    ['invalid_grant', ended],
    ['interaction_required', ended],
    ['bad_verification_code', ended],
    ['bad_refresh_token', ended],
    ['invalid_code', ended],
    ['invalid_client', 'client_rejected'],
    ['unauthorized_client', 'client_rejected'],
    ['incorrect_client_credentials', 'client_rejected'],
    ['temporarily_unavailable', 'server_unavailable'],
    ['server_error', 'server_unavailable'],
    ['slow_down', 'server_unavailable'],
    ['ratelimited', 'server_unavailable'],
    ['invalid_request', 'token_request_rejected'],
    ['invalid_target', 'token_request_rejected'],
    ['unsupported_grant_type', 'token_request_rejected'],
    ['constructor', 'token_request_rejected'],
  ])('is classified by its code: %s is %s (TOK-03)', async (error, code) => {
    for (const status of [200, 400]) {
      expect(await failed(send, { status, body: { error, error_description: null } })).toMatchObject({
        code,
        phase,
        details: { oauthError: error, status },
      });
    }
  });

  it('is classified by the challenge where the body says nothing (TOK-03)', async () => {
    const headers = { 'www-authenticate': 'Basic realm="as", Bearer error="invalid_client", error_description="planned"' };
    for (const body of [{ error: null }, 'Unauthorized', '']) {
      const failure = await failed(send, { status: 401, headers, body });
      expect(failure).toMatchObject({
        code: 'client_rejected',
        details: { oauthError: 'invalid_client', oauthErrorDescription: 'planned' },
      });
    }
  });

  it('is classified by the body where both speak (TOK-03)', async () => {
    const headers = { 'www-authenticate': 'Basic error="invalid_client"' };
    expect((await failed(send, { status: 401, headers, body: { error: 'invalid_grant' } })).code).toBe(ended);
  });

  it.each([
    ['a challenge without an error', { status: 401, headers: { 'www-authenticate': 'Basic realm="as"' }, body: '' }],
    ['a broken challenge', { status: 401, headers: { 'www-authenticate': '=, "' }, body: '' }],
    ['HTML', { status: 403, body: '<html>planted</html>' }],
    ['JSON of another kind', { status: 400, body: { status: 'BAD_REFRESH_TOKEN', message: 'planted' } }],
    ['an error of another kind', { status: 400, body: { error: { reason: 'planted' } } }],
  ])('ends no credential without an OAuth error code: %s (TOK-03)', async (_what, answer) => {
    expect(await failed(send, answer)).toMatchObject({ code: 'token_request_rejected', action: 'report-to-server' });
  });

  it.each([500, 502, 503, 504, 429, 408])('is an outage at status %i, whatever its body says (TOK-03)', async (status) => {
    for (const body of [
      '<html>',
      { error: 'temporarily_unavailable' },
      { error: 'invalid_grant' },
      { error: 'Internal Server Error', status },
      tokens,
    ]) {
      const failure = await failed(send, { status, headers: { 'retry-after': '11' }, body });
      expect(failure).toMatchObject({ code: 'server_unavailable', phase, retryable: true, details: { status, retryAfterSeconds: 11 } });
    }
  });

  it('passes on how long to wait with slow_down at any status (TOK-03)', async () => {
    expect(await failed(send, { status: 400, headers: { 'retry-after': '5' }, body: { error: 'slow_down' } })).toMatchObject({
      code: 'server_unavailable',
      details: { retryAfterSeconds: 5 },
    });
  });

  it.each([404, 405, 410, 301, 304])('points at old metadata at status %i (TOK-03)', async (status) => {
    expect(await failed(send, { status, body: status === 304 ? '' : 'Not here' })).toMatchObject({
      code: 'token_request_rejected',
      retryable: false,
      details: { status, metadataMayBeStale: true },
    });
  });

  it.each([400, 401, 403, 422])('does not blame the metadata at status %i (TOK-03)', async (status) => {
    const { details } = await failed(send, { status, body: 'No' });
    expect(details).not.toHaveProperty('metadataMayBeStale');
  });

  it('points at old metadata when it redirects, and sends the credentials nowhere else (TOK-03)', async () => {
    expect(await failed(send, { status: 307, headers: { location: '/elsewhere' } })).toMatchObject({
      code: 'token_request_rejected',
      phase,
      details: { metadataMayBeStale: true },
    });
  });

  it('carries the text of the server in one bounded line (TOK-03)', async () => {
    const failure = await failed(send, {
      status: 400,
      body: { error: 'invalid_grant', error_description: `AADSTS70008: expired.\r\nTrace ID: ${'1'.repeat(2000)}` },
    });
    expect(failure.details.oauthErrorDescription).toMatch(/^AADSTS70008: expired\. Trace ID: 1+…$/);
  });

  it('names issuer and endpoint without its query (TOK-03)', async () => {
    const endpoint = await postEndpoint({ status: 400, body: { error: 'invalid_grant' } }, '/token?key=planted');
    const { details } = await failureOfPromise(send(endpoint));
    expect(details).toMatchObject({ issuer: endpoint.issuer, url: `${endpoint.issuer}/token` });
  });

  it('is a network failure, and retryable, when nobody answers (TOK-03)', async () => {
    const { http } = await postEndpoint({ body: tokens });
    const gone = { http, issuer: 'http://127.0.0.1:1', url: 'http://127.0.0.1:1/token', posts: [] };
    expect(await failureOfPromise(send(gone))).toMatchObject({ code: 'network_unreachable', phase, retryable: true });
  });

  it('ends as cancelled when the caller gives up (TOK-03)', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    expect((await failureOfPromise(send(endpoint, { signal: AbortSignal.abort() }))).code).toBe('cancelled');
  });

  it('sends nothing to an endpoint that is missing or unsafe', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    const metadata = { issuer: endpoint.issuer, token_endpoint: 'http://as.example.com/token' };
    expect((await failureOfPromise(send(endpoint, { metadata }))).code).toBe('endpoint_refused');
    expect((await failureOfPromise(send(endpoint, { metadata: { issuer: endpoint.issuer } }))).code).toBe('metadata_incomplete');
  });
});
