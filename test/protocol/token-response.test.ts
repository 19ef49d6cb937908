import { describe, expect, it } from 'vitest';
import { readTokenResponse, type TokenAnswer } from '../../src/protocol/token-response.ts';

function read(body: unknown, init: ResponseInit = {}): Promise<TokenAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readTokenResponse(new Response(text, { headers: { 'content-type': 'application/json' }, ...init }));
}

const full = { access_token: 'a', token_type: 'bearer', expires_in: 3600, refresh_token: 'r', scope: 'x y' };
const bare = { accessToken: 'a', tokenType: 'Bearer' };
const all = { ...bare, expiresInSeconds: 3600, refreshToken: 'r', scopes: ['x', 'y'] };
const form = { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } };
const asText = (type: string) => ({ headers: { 'content-type': type } });

describe('successful token responses of real servers', () => {
  it.each([
    ['RFC 6749 itself', full, {}, all],
    ['Supabase and Harvest, 201', full, { status: 201 }, all],
    ['servers that send JSON as text/html', full, asText('text/html'), all],
    ['servers that send JSON without a type', full, { headers: {} }, all],
    ['servers that begin with a byte order mark', `\uFEFF${JSON.stringify(full)}`, {}, all],
    ['servers that shout', { ...full, token_type: 'BEARER' }, {}, all],
    ['servers that leave token_type out', { ...full, token_type: undefined }, {}, all],
    [
      'EVE Online, Auth0 and serialisers, null',
      { access_token: 'a', token_type: null, expires_in: null, refresh_token: null, scope: null, id_token: null, error: null },
      {},
      bare,
    ],
    ['serialisers, empty texts', { access_token: 'a', token_type: '', expires_in: '', refresh_token: '', scope: '', error: '' }, {}, bare],
    ['Microsoft Entra ID v1, numbers as texts', { ...full, expires_in: '3600', ext_expires_in: '3599', resource: 'api://x' }, {}, all],
    ['OpenID Connect, with an ID token', { ...full, id_token: 'not.a.jwt' }, {}, all],
    ['GitHub, scopes between commas', { ...full, scope: 'x,y' }, {}, all],
    ['GitHub, as a form', 'access_token=a&scope=x%2Cy&token_type=bearer', form, { ...bare, scopes: ['x', 'y'] }],
    ['Slack, user tokens', { ok: true, access_token: 'a', token_type: 'user', authed_user: { scope: 'p' } }, {}, bare],
    ['Slack, bot tokens', { ok: true, access_token: 'a', token_type: 'bot', scope: 'x,y' }, {}, { ...bare, scopes: ['x', 'y'] }],
    [
      'Slack, a user token inside',
      { ok: true, app_id: 'A1', authed_user: { id: 'U1', ...full, token_type: 'user', scope: 'x,y' } },
      {},
      all,
    ],
    ['Twitch, scopes in a list', { ...full, scope: ['x', 'y'] }, {}, all],
    ['Notion, with members of its own', { ...full, workspace_id: 'w', owner: { type: 'user' } }, {}, all],
    ['servers that count fractions', { ...full, expires_in: 3600.98 }, {}, all],
  ] as const)('are read alike: %s (TOK-02)', async (_vendor, body, init, tokens) => {
    expect(await read(body, init)).toEqual({ outcome: 'issued', tokens });
  });

  it('are read alike in every combination of these forms (TOK-02)', async () => {
    const forms = {
      token_type: ['bearer', 'Bearer', ' BEARER ', undefined, null, ''],
      expires_in: [3600, '3600', 3600.5, ' 3600 '],
      refresh_token: ['r'],
      scope: ['x y', 'x,y', ['x', 'y'], ' x  y '],
      error: [undefined, null, '', false],
      id_token: [undefined, null, 'x.y.z'],
      status: [200, 201, 203],
    };
    let combinations: Record<string, unknown>[] = [{ access_token: 'a' }];
    for (const [name, values] of Object.entries(forms)) {
      combinations = combinations.flatMap((members) => values.map((value) => ({ ...members, [name]: value })));
    }
    const answers = await Promise.all(combinations.map(({ status, ...body }) => read(body, { status: Number(status) })));
    expect(answers).toHaveLength(3456);
    const odd = answers.findIndex((answer) => JSON.stringify(answer) !== JSON.stringify(answers[0]));
    expect(combinations[odd]).toBeUndefined();
    expect(answers[0]).toEqual({ outcome: 'issued', tokens: all });
  });

  it('last a hundred years at most, so that their end is a date (TOK-02)', async () => {
    for (const expires_in of [1e15, '99999999999999', 1e308]) {
      expect(await read({ access_token: 'a', expires_in })).toMatchObject({ tokens: { expiresInSeconds: 3_153_600_000 } });
    }
  });

  it('have no scopes that no scope can be: nothing of a server reaches a screen through them (TOK-04)', async () => {
    expect(await read({ ...full, scope: 'x \u001b[31mred \u202ey "z" ä' })).toMatchObject({ tokens: { scopes: ['x'] } });
  });

  it('keep a comma inside a scope where spaces part them (TOK-02)', async () => {
    expect(await read({ ...full, scope: 'a,b c' })).toMatchObject({ tokens: { scopes: ['a,b', 'c'] } });
  });

  it.each([0, -1, '0', 'soon', '3600abc', 'Infinity', '1e400', true, {}, [], null])(
    'say nothing about their lifetime with expires_in %j (TOK-02)',
    async (expires_in) => {
      expect(await read({ access_token: 'a', expires_in })).toEqual({ outcome: 'issued', tokens: bare });
    },
  );
});

describe('token responses that are refused', () => {
  it.each([
    ['no access token', { token_type: 'Bearer' }, /access_token/],
    ['an empty access token', { ...full, access_token: '' }, /access_token/],
    ['an access token that is no text', { ...full, access_token: 7 }, /access_token/],
    ['an access token with a line break', { ...full, access_token: 'a\nb' }, /header/],
    ['an access token beyond ASCII', { ...full, access_token: 'ä' }, /header/],
    ['an unknown token type', { ...full, token_type: 'MAC' }, /token_type/],
    ["a type of Slack's from another", { ...full, token_type: 'user' }, /token_type/],
    ['a token type that is no text', { ...full, token_type: 7 }, /token_type/],
    ['a token bound to a key', { ...full, token_type: 'DPoP' }, /DPoP/],
    ['a refresh token that is no text', { ...full, refresh_token: {} }, /refresh_token/],
    ['a token in an inner object of anyone but Slack', { authed_user: full, data: full }, /access_token/],
    ['members that only look like own ones', '{"__proto__":{"access_token":"a","error":"x"}}', /access_token/],
    ['HTML', '<html></html>', /JSON/],
    ['a form that calls itself JSON', 'access_token=a', /JSON/],
    ['a list', [full], /JSON/],
    ['a text', '"access_token"', /JSON/],
    ['nothing', '', /JSON/],
  ])('are those with %s (TOK-02)', async (_what, body, reason) => {
    for (const status of [200, 201]) {
      expect(await read(body, { status })).toEqual({ outcome: 'unusable', reason: expect.stringMatching(reason) });
    }
  });

  it('are those without a body (TOK-02)', async () => {
    expect((await readTokenResponse(new Response(null, { status: 204 }))).outcome).toBe('unusable');
  });

  it('are those with a status of failure, though they hold tokens (TOK-02)', async () => {
    for (const status of [302, 400, 500]) expect((await read(full, { status })).outcome).toBe('unusable');
  });
});

describe('errors of real servers', () => {
  const says = (error: string, description?: string) => ({ outcome: 'error', error, ...(description !== undefined && { description }) });

  it.each([
    [
      'GitHub, 200',
      { error: 'bad_verification_code', error_description: 'Expired.', error_uri: 'https://x' },
      {},
      says('bad_verification_code', 'Expired.'),
    ],
    ['GitHub, as a form with 200', 'error=bad_verification_code&error_description=Expired', form, says('bad_verification_code', 'Expired')],
    ['Slack, 200', { ok: false, error: 'invalid_code' }, {}, says('invalid_code')],
    ['Atlassian, 403', { error: 'invalid_grant', error_description: 'Unknown.' }, { status: 403 }, says('invalid_grant', 'Unknown.')],
    ['Auth0, null beside it', { error: 'invalid_grant', access_token: null }, { status: 403 }, says('invalid_grant')],
    ['an error beside tokens', { ...full, error: 'invalid_scope' }, {}, says('invalid_scope')],
    ['gateways, an object', { error: { code: 190, message: 'Expired' } }, { status: 401 }, says('unspecified_error', 'Expired')],
    ['gateways, a code in an object', { error: { code: 'invalid_grant' } }, {}, says('invalid_grant')],
    ['JSON as text', '{"error":"invalid_grant"}', { status: 400, ...asText('text/plain') }, says('invalid_grant')],
    ['an outage', { error: 'server_error' }, { status: 503 }, says('server_error')],
    ['a redirect', { error: 'invalid_request' }, { status: 302 }, says('invalid_request')],
  ] as const)('are errors at any status: %s (TOK-02)', async (_vendor, body, init, expected) => {
    expect(await read(body, init)).toEqual(expected);
  });

  it('are taken from the challenge where the body says nothing, and only there (TOK-03)', async () => {
    const init = { status: 401, headers: { 'www-authenticate': 'Basic realm="a", Bearer error="invalid_client", error_description="No"' } };
    for (const body of ['', '<html>', '{"error":null}']) expect(await read(body, init)).toEqual(says('invalid_client', 'No'));
    expect(await read({ error: 'invalid_grant' }, init)).toEqual(says('invalid_grant'));
    expect((await read(full, { ...init, status: 200 })).outcome).toBe('issued');
  });
});

it('never takes anything for tokens but a text of visible ASCII without an error, whatever is sent (TOK-02)', async () => {
  const random = numbersFrom(20260728);
  for (let round = 0; round < 3000; round += 1) {
    const body = Object.fromEntries(NAMES.filter(() => random() < 0.7).map((name) => [name, VALUES[Math.floor(random() * VALUES.length)]]));
    const answer = await read(body, { status: 200 + Math.floor(random() * 3) });
    if (answer.outcome !== 'issued') continue;
    expect(body['error'] || undefined).toBeUndefined();
    expect(body['access_token'] || (body['authed_user'] as typeof full).access_token).toBe(answer.tokens.accessToken);
    expect(answer.tokens.accessToken).toMatch(/^[!-~]+$/);
    expect(answer.tokens.refreshToken ?? 'absent').toMatch(/./);
    expect(answer.tokens.expiresInSeconds ?? 1).toBeGreaterThan(0);
  }
});

const NAMES = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'error', 'ok', 'authed_user'];
const VALUES = [undefined, null, '', 0, 1, -1, true, false, 'bearer', 'user', 'a b', 'token', '\u0000', 'ü', '99', [], ['x'], {}, full];

/** Numbers in [0, 1) that are the same in every run (Park and Miller's generator). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
