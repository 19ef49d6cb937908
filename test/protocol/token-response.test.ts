import { describe, expect, it } from 'vitest';
import { normaliseTokenResponse } from '../../src/protocol/token-response.ts';

interface Normalised {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

async function normalised(body: unknown, init: ResponseInit = {}): Promise<Normalised> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await normaliseTokenResponse(new Response(text, { headers: { 'content-type': 'application/json' }, ...init }));
  const read = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), body: read.startsWith('{') ? JSON.parse(read) : read };
}

const plain = { access_token: 'a', token_type: 'bearer', expires_in: 3600, refresh_token: 'r', scope: 'x y' };
const form = { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } };

describe('successful token responses of real servers', () => {
  it.each([
    ['RFC 6749 itself', plain, {}, plain],
    ['Supabase, 201', plain, { status: 201 }, plain],
    ['servers that send JSON as text/html', plain, { headers: { 'content-type': 'text/html' } }, plain],
    ['servers that send JSON without a type', plain, { headers: {} }, plain],
    ['servers that begin with a byte order mark', `\uFEFF${JSON.stringify(plain)}`, {}, plain],
    ['servers in any case', { ...plain, token_type: 'BEARER' }, {}, plain],
    ['servers that leave token_type out', { ...plain, token_type: undefined }, {}, { ...plain, token_type: 'Bearer' }],
    ['EVE Online and other serialisers, null', { access_token: 'a', token_type: null, expires_in: null, refresh_token: null, scope: null, id_token: null, error: null, error_description: null }, {}, { access_token: 'a', token_type: 'Bearer' }],
    ['serialisers that write empty texts', { access_token: 'a', token_type: '', expires_in: '', refresh_token: '', scope: '', error: '' }, {}, { access_token: 'a', token_type: 'Bearer' }],
    ['Microsoft Entra ID v1', { ...plain, expires_in: '3599', ext_expires_in: '3599', expires_on: '1700000000', resource: 'api://x' }, {}, { ...plain, expires_in: 3599 }],
    ['OpenID providers', { ...plain, id_token: 'not.a.jwt' }, {}, plain],
    ['GitHub, scopes between commas', { access_token: 'gho_a', token_type: 'bearer', scope: 'repo,gist' }, {}, { access_token: 'gho_a', token_type: 'bearer', scope: 'repo gist' }],
    ['GitHub, as a form', 'access_token=gho_a&scope=repo%2Cgist&token_type=bearer', form, { access_token: 'gho_a', token_type: 'bearer', scope: 'repo gist' }],
    ['Slack, user tokens', { ok: true, access_token: 'xoxp-1', token_type: 'user', authed_user: { id: 'U1', scope: 'a,b' } }, {}, { access_token: 'xoxp-1', token_type: 'Bearer' }],
    ['Slack, bot tokens', { ok: true, access_token: 'xoxb-1', token_type: 'bot', scope: 'commands,chat:write' }, {}, { access_token: 'xoxb-1', token_type: 'Bearer', scope: 'commands chat:write' }],
    ['Slack, user tokens of the endpoint for both', { ok: true, app_id: 'A1', authed_user: { id: 'U1', scope: 'chat:write,search:read', access_token: 'xoxp-1', token_type: 'user', expires_in: 43200, refresh_token: 'xoxe-1' }, team: { id: 'T1' } }, {}, { access_token: 'xoxp-1', token_type: 'Bearer', expires_in: 43200, refresh_token: 'xoxe-1', scope: 'chat:write search:read' }],
    ['Twitch, scopes in a list', { ...plain, scope: ['x', 'y'] }, {}, plain],
    ['Notion, with members of its own', { ...plain, workspace_id: 'w', owner: { type: 'user' } }, {}, plain],
    ['servers whose tokens never end', { ...plain, expires_in: 0 }, {}, { ...plain, expires_in: undefined }],
    ['servers that count fractions', { ...plain, expires_in: 3599.98 }, {}, { ...plain, expires_in: 3599 }],
  ] as const)('of %s are made into one form (TOK-02)', async (_vendor, body, init, expected) => {
    const answer = await normalised(body, init);
    expect(answer).toEqual({ status: 200, type: 'application/json', body: JSON.parse(JSON.stringify(expected)) });
  });

  it('keep a comma inside a scope where spaces part them (TOK-02)', async () => {
    expect((await normalised({ ...plain, scope: 'a,b c' })).body).toMatchObject({ scope: 'a,b c' });
  });

  it.each([-1, 'soon', '3600abc', Number.MAX_VALUE.toString() + '0', true, {}, []])('say nothing about their lifetime with expires_in %j (TOK-02)', async (expires_in) => {
    const { body } = await normalised({ ...plain, expires_in });
    expect(body).not.toHaveProperty('expires_in');
  });

  it('keep a token type that nobody knows, for it to be refused (TOK-02)', async () => {
    expect((await normalised({ ...plain, token_type: 'MAC' })).body).toMatchObject({ token_type: 'mac' });
    expect((await normalised({ ...plain, token_type: 'user' })).body).toMatchObject({ token_type: 'user' });
    expect((await normalised({ ...plain, token_type: 7 })).body).toMatchObject({ token_type: 7 });
  });
});

describe('errors of real servers', () => {
  it.each([
    ['GitHub, 200', { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.', error_uri: 'https://x' }, {}, 400, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }],
    ['GitHub, as a form with 200', 'error=bad_verification_code&error_description=expired', form, 400, { error: 'bad_verification_code', error_description: 'expired' }],
    ['Slack, 200', { ok: false, error: 'invalid_code' }, {}, 400, { error: 'invalid_code' }],
    ['Atlassian, 403', { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }, { status: 403 }, 403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }],
    ['Auth0, null beside the error', { error: 'invalid_grant', error_description: null, access_token: null }, { status: 403 }, 403, { error: 'invalid_grant' }],
    ['servers that send an error beside a token', { ...plain, error: 'invalid_scope' }, {}, 400, { error: 'invalid_scope' }],
    ['gateways with an object', { error: { code: 190, message: 'Expired' } }, { status: 401 }, 401, { error: 'unspecified_error', error_description: 'Expired' }],
    ['gateways with a code inside an object', { error: { code: 'invalid_grant' } }, {}, 400, { error: 'invalid_grant' }],
    ['servers with JSON as text', '{"error":"invalid_grant"}', { status: 400, headers: { 'content-type': 'text/plain' } }, 400, { error: 'invalid_grant' }],
    ['servers in trouble', { error: 'server_error' }, { status: 503 }, 503, { error: 'server_error' }],
    ['servers that redirect errors', { error: 'invalid_request' }, { status: 302 }, 400, { error: 'invalid_request' }],
  ] as const)('are errors at any status: %s (TOK-02)', async (_vendor, body, init, status, expected) => {
    expect(await normalised(body, init)).toEqual({ status, type: 'application/json', body: expected });
  });

  it('keep the challenge only where the body says nothing (TOK-03)', async () => {
    const init = { status: 401, headers: { 'www-authenticate': 'Basic error="invalid_client"' } };
    const silent = await normaliseTokenResponse(new Response('{"error":null}', init));
    expect(silent.headers.get('www-authenticate')).toBe('Basic error="invalid_client"');
    const telling = await normaliseTokenResponse(new Response('{"error":"invalid_grant"}', init));
    expect(telling.headers.has('www-authenticate')).toBe(false);
  });
});

describe('what is neither', () => {
  it.each([
    ['HTML', '<html></html>', 200],
    ['a form that calls itself JSON', 'access_token=a', 200],
    ['a list', '[{"access_token":"a"}]', 201],
    ['a text', '"access_token"', 200],
    ['nothing', '', 502],
  ])('keeps status and body: %s (TOK-02)', async (_what, text, status) => {
    const response = await normaliseTokenResponse(new Response(text, { status }));
    expect([response.status, await response.text()]).toEqual([status, text]);
  });

  it('keeps a status that has no body (TOK-02)', async () => {
    expect((await normaliseTokenResponse(new Response(null, { status: 204 }))).status).toBe(204);
  });

  it('takes no token from an inner object of anyone but Slack (TOK-02)', async () => {
    const { body } = await normalised({ authed_user: { access_token: 'xoxp-1' }, data: { access_token: 'a' } });
    expect(body).toEqual({ token_type: 'Bearer' });
  });

  it('takes no member from what only looks like one (TOK-02)', async () => {
    const { body } = await normalised('{"__proto__":{"access_token":"a","error":"x"}}');
    expect(body).toEqual({ token_type: 'Bearer' });
  });
});
