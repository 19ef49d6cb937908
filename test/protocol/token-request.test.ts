import { describe, expect, it } from 'vitest';
import { postEndpoint } from '../helpers/token-endpoint.ts';
import { bothGrants, failed, tokens } from '../helpers/token-requests.ts';

describe.each(bothGrants)('a token response (%s)', (phase, send) => {
  it('gives tokens, kind, scopes and lifetime', async () => {
    expect(await send(await postEndpoint({ body: tokens }))).toEqual({
      accessToken: 'access-1',
      tokenType: 'Bearer',
      refreshToken: 'refresh-2',
      scopes: ['a', 'b'],
      expiresInSeconds: 3600,
    });
  });

  it('says nothing of scopes that were left out, so that the requested or previous ones stay (SCO-03)', async () => {
    expect(await send(await postEndpoint({ body: { access_token: 'access-1', token_type: 'bearer' } }))).toEqual({
      accessToken: 'access-1',
      tokenType: 'Bearer',
    });
  });

  it.each([
    ['status 201', { status: 201, body: tokens }],
    ['token_type in another case', { body: { ...tokens, token_type: 'bEARER' } }],
    ['no token_type', { body: { ...tokens, token_type: undefined } }],
    ['expires_in as a text', { body: { ...tokens, expires_in: '3600' } }],
    ['null members', { body: { ...tokens, id_token: null, error: null, error_description: null } }],
    ['another content type', { body: tokens, headers: { 'content-type': 'text/html' } }],
    ['an ID token that cannot be checked', { body: { ...tokens, id_token: 'x.y.z' } }],
  ])('is tolerated with %s (TOK-02)', async (_what, answer) => {
    expect(await send(await postEndpoint(answer))).toMatchObject({ accessToken: 'access-1', tokenType: 'Bearer', expiresInSeconds: 3600 });
  });

  it('is tolerated with expires_in null (TOK-02)', async () => {
    expect(await send(await postEndpoint({ body: { ...tokens, expires_in: null } }))).not.toHaveProperty('expiresInSeconds');
  });

  it.each([
    ['no access token', { token_type: 'Bearer', planted: 1 }, /access_token/],
    ['an empty access token', { ...tokens, access_token: '' }, /access_token/],
    ['null as access token', { ...tokens, access_token: null }, /access_token/],
    ['an access token that is no text', { ...tokens, access_token: { planted: 1 } }, /access_token/],
    ['an access token that fits no header', { ...tokens, access_token: 'access-1\r\nplanted: 1' }, /header/],
    ['an unknown token type', { ...tokens, token_type: 'mac' }, /token_type/],
    ['a token type that is no text', { ...tokens, token_type: 7 }, /token_type/],
    ['a token bound to a key that was not shown', { ...tokens, token_type: 'DPoP' }, /DPoP/],
    ['a refresh token that is no text', { ...tokens, refresh_token: 7 }, /refresh_token/],
    ['a body that is not JSON', '<html>planted</html>', /JSON/],
    ['half a body', '{"access_token":"access-1","tok', /JSON/],
    ['a list', [tokens], /JSON/],
    ['nothing', '', /JSON/],
  ])('is refused with %s (TOK-02)', async (_what, body, reason) => {
    const failure = await failed(send, { body });
    expect(failure).toMatchObject({ code: 'token_response_invalid', phase, retryable: false });
    expect(failure.details.reason).toMatch(reason);
  });

  it('is refused over the size limit (TOK-02)', async () => {
    expect((await failed(send, { body: { ...tokens, pad: 'x'.repeat(300 * 1024) } })).code).toBe('response_too_large');
  });

  it.each([200, 201, 400, 401, 403, 404])(
    'is an error at status %i when it has an error member, beside tokens too (TOK-02)',
    async (status) => {
      const failure = await failed(send, { status, body: { ...tokens, error: 'invalid_scope', error_description: 'no such scope' } });
      expect(failure).toMatchObject({
        code: 'token_request_rejected',
        details: { status, oauthError: 'invalid_scope', oauthErrorDescription: 'no such scope' },
      });
      expect(failure.details).not.toHaveProperty('metadataMayBeStale');
    },
  );
});
