import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { chooseAuthMethod, clientAuthentication, type TokenClient } from '../../src/protocol/client-authentication.ts';
import { requestRefresh } from '../../src/protocol/refresh-request.ts';
import { failureOfPromise } from '../helpers/local-server.ts';
import { postEndpoint, type SeenPost } from '../helpers/token-endpoint.ts';

async function requestOf(client: TokenClient): Promise<SeenPost & { issuer: string }> {
  const endpoint = await postEndpoint({ body: { access_token: 'token-1', token_type: 'Bearer' } });
  await requestRefresh(endpoint.http, {
    metadata: { issuer: endpoint.issuer, token_endpoint: endpoint.url },
    client,
    refreshToken: 'refresh-1',
  });
  const seen = endpoint.posts[0];
  if (seen === undefined) throw new Error('no request arrived');
  return { ...seen, issuer: endpoint.issuer };
}

describe('the choice of a client authentication method', () => {
  it.each([
    [
      'what registration assigned',
      { assigned: 'client_secret_post', hasSecret: true, supported: ['client_secret_basic'] },
      'client_secret_post',
    ],
    ['what the embedder configured before all', { configured: 'none', assigned: 'client_secret_post', hasSecret: true }, 'none'],
    ['basic before post', { hasSecret: true, supported: ['none', 'client_secret_post', 'client_secret_basic'] }, 'client_secret_basic'],
    ['post where basic is not supported', { hasSecret: true, supported: ['client_secret_post', 'none'] }, 'client_secret_post'],
    [
      'a signature before secrets',
      { hasSecret: true, hasPrivateKey: true, supported: ['client_secret_basic', 'private_key_jwt'] },
      'private_key_jwt',
    ],
    ['none without a secret', { hasSecret: false, supported: ['client_secret_basic', 'none'] }, 'none'],
    ['none where only it is supported', { hasSecret: true, supported: ['none'] }, 'none'],
    ['basic for a secret where the server names nothing', { hasSecret: true }, 'client_secret_basic'],
    ['basic for a secret where the server names only others', { hasSecret: true, supported: ['tls_client_auth'] }, 'client_secret_basic'],
    ['the signature of a client that has only a key', { hasSecret: false, hasPrivateKey: true }, 'private_key_jwt'],
    ['none for a public client where the server names nothing', { hasSecret: false }, 'none'],
  ] as const)('is %s (TOK-01)', (_choice, o, expected) => {
    expect(chooseAuthMethod({ hasPrivateKey: false, ...o })).toBe(expected);
  });
});

describe('client authentication on the wire', () => {
  it('form-encodes identifier and secret for client_secret_basic, and only what forms encode (TOK-01)', async () => {
    const { headers, form } = await requestOf({
      clientId: 'my-client_1.a',
      authMethod: 'client_secret_basic',
      clientSecret: 's:e c/r+e=t%é',
    });
    const [identifier, secret] = atob(String(headers['authorization']).replace(/^Basic /, '')).split(':');
    expect(identifier).toBe('my-client_1.a');
    expect(secret).toBe('s%3Ae+c%2Fr%2Be%3Dt%25%C3%A9');
    expect(form.has('client_secret')).toBe(false);
  });

  it('puts both into the body for client_secret_post (TOK-01)', async () => {
    const { headers, form } = await requestOf({ clientId: 'client 1', authMethod: 'client_secret_post', clientSecret: 's&=1' });
    expect(headers['authorization']).toBeUndefined();
    expect(form.get('client_id')).toBe('client 1');
    expect(form.get('client_secret')).toBe('s&=1');
  });

  it('names a public client and sends no secret, even one it holds (TOK-01)', async () => {
    const { headers, form, body } = await requestOf({ clientId: 'client-1', authMethod: 'none', clientSecret: 'secret-1' });
    expect(headers['authorization']).toBeUndefined();
    expect(form.get('client_id')).toBe('client-1');
    expect(body).not.toContain('secret-1');
  });

  it('signs an assertion for private_key_jwt, meant for the issuer (TOK-01)', async () => {
    const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const { form, issuer } = await requestOf({
      clientId: 'client-1',
      authMethod: 'private_key_jwt',
      privateKey: { key: privateKey, kid: 'key-1' },
    });
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const assertion = form.get('client_assertion') ?? '';
    const { payload } = await jwtVerify(assertion, publicKey, { audience: issuer, issuer: 'client-1', subject: 'client-1' });
    expect(payload.jti).toBeTypeOf('string');
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES256', kid: 'key-1' });
  });

  it('takes a bare private key too (TOK-01)', async () => {
    const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const { form } = await requestOf({ clientId: 'client-1', authMethod: 'private_key_jwt', privateKey });
    expect(form.get('client_assertion')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('leaves it to the function of the embedder (TOK-01)', async () => {
    const { headers, form, issuer } = await requestOf({
      clientId: 'client-1',
      authMethod: 'client_secret_basic',
      clientSecret: 'unused-secret',
      authenticate: async ({ issuer: of, tokenEndpoint, clientId, body, headers: toSend }) => {
        toSend.set('authorization', `Custom ${clientId}`);
        body.set('told', `${of} ${tokenEndpoint}`);
      },
    });
    expect(headers['authorization']).toBe('Custom client-1');
    expect(form.get('told')).toBe(`${issuer} ${issuer}/token`);
    expect(form.get('client_id')).toBe('client-1');
    expect(form.get('refresh_token')).toBe('refresh-1');
  });

  it('keeps to itself what the function of the embedder fails with (TOK-01)', async () => {
    const endpoint = await postEndpoint({ body: {} });
    const failure = await failureOfPromise(
      requestRefresh(endpoint.http, {
        metadata: { issuer: endpoint.issuer, token_endpoint: endpoint.url },
        client: { clientId: 'client-1', authMethod: 'none', authenticate: () => Promise.reject(new RangeError('planted secret')) },
        refreshToken: 'refresh-1',
      }),
    );
    expect(failure).toMatchObject({ code: 'internal_error', phase: 'refresh' });
    expect(JSON.stringify(failure)).toContain('RangeError');
    expect(JSON.stringify(failure)).not.toMatch(/planted|refresh-1/);
    expect(endpoint.posts).toHaveLength(0);
  });

  it.each(['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const)(
    'sends nothing by %s without what it needs (TOK-01)',
    (authMethod) => {
      expect(() => clientAuthentication({ clientId: 'client-1', authMethod, clientSecret: '' }, 'https://as.example.com/token')).toThrow(
        /needs a/,
      );
    },
  );
});
