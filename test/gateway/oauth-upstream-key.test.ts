import { createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { SigningKey, UpstreamOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { isTokenRejected } from '../../src/gateway/token-validator.ts';
import { backendToken, codeForm, post, RESOURCE } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const clientKey = { ...(await exportJWK(privateKey)), kid: 'gateway-1', alg: 'ES256' } as SigningKey;
const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'gateway-1' }] });
const upstream: UpstreamOptions = { issuer: IDENTITY_PROVIDER, clientId: 'gateway', authMethod: 'private_key_jwt', clientKey, scopes: [] };
/** RFC 6749 section 2.3.1 writes it otherwise in a header. */
const SECRET = 'the secret:%';

describe('a gateway with a secret for upstream', () => {
  it.each<[string, 'client_secret_basic' | 'client_secret_post', string | null, string | null]>([
    ['in its header', 'client_secret_basic', `Basic ${btoa('gateway:the+secret%3A%25')}`, null],
    ['in its form', 'client_secret_post', null, SECRET],
  ])('sends it %s when it revokes, too (GWY-07, GWY-08)', async (_, authMethod, authorization, secret) => {
    const scene = scriptedGateway({
      upstream: { issuer: IDENTITY_PROVIDER, clientId: 'gateway', clientSecret: SECRET, authMethod, scopes: [] },
    });
    const { clientId, body } = await scene.tokens();
    await post(scene.gateway, 'revoke', { client_id: clientId, token: String(body['refresh_token']) });
    const sent = scene.provider.revocations.map(({ form, authorization: header }) => [
      form.get('token_type_hint'),
      header,
      form.get('client_secret'),
    ]);
    expect(sent).toEqual([
      ['refresh_token', authorization, secret],
      ['access_token', authorization, secret],
    ]);
  });
});

describe('a gateway with a key for upstream', () => {
  it('signs at the exchange, at every refresh and when it revokes, each time anew, and sends no secret (GWY-07, GWY-08)', async () => {
    const scene = scriptedGateway({ upstream });
    const { clientId, body } = await scene.tokens();
    await scene.clock.advance(590_000);
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-2');
    await post(scene.gateway, 'revoke', { client_id: clientId, token: String(body['refresh_token']) });
    expect(scene.provider.revoked).toEqual(['upstream-refresh-2', 'upstream-access-2']);
    const forms = [...scene.provider.tokenRequests, ...scene.provider.revocations.map(({ form }) => form)];
    const proven = await Promise.all(
      forms.map(async (form) => {
        const assertion = form.get('client_assertion') ?? '';
        const { payload } = await jwtVerify(assertion, keys, { issuer: 'gateway', subject: 'gateway', audience: IDENTITY_PROVIDER });
        expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES256', kid: 'gateway-1' });
        return payload.jti;
      }),
    );
    expect(new Set(proven).size).toBe(4);
    expect(scene.provider.revocations.map(({ authorization }) => authorization)).toEqual([null, null]);
    expect(forms.some((form) => form.has('client_secret'))).toBe(false);
    expect(JSON.stringify([scene.logged, body])).not.toContain(String(clientKey['d']));
  });

  it('that is not let revoke says so in its log, and the grant is over all the same (GWY-08)', async () => {
    const scene = scriptedGateway({ upstream });
    const { clientId, body } = await scene.tokens();
    scene.provider.answerRevocation = () => Response.json({ error: 'invalid_client', error_description: 'hunter2' }, { status: 401 });
    expect((await post(scene.gateway, 'revoke', { client_id: clientId, token: String(body['refresh_token']) })).status).toBe(200);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    const failed = { level: 'warn', event: 'gateway.upstream-revocation-failed', status: 401 };
    expect(scene.logged.filter(({ event }) => event === failed.event)).toMatchObject([failed, failed]);
    expect(JSON.stringify(scene.logged)).not.toContain('hunter2');
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
  });

  it.each<[string, object]>([
    ['no key', { clientKey: undefined }],
    ['a public key', { clientKey: { ...clientKey, d: undefined } }],
    ['a secret as a key', { clientKey: { kty: 'oct', k: 'hunter2', kid: '1', alg: 'HS256' } }],
    ['a key without a name', { clientKey: { ...clientKey, kid: undefined } }],
    ['a key and another method', { authMethod: 'none' }],
  ])('is refused with %s, and nothing of the key is quoted (GWY-14)', (_, changes) => {
    const create = (): unknown => createGateway({ resource: RESOURCE, upstream: { ...upstream, ...changes } as UpstreamOptions });
    expect(create).toThrow(/clientKey/);
    expect(create).not.toThrow(new RegExp(`${String(clientKey['d'])}|hunter2`));
  });

  it('that is broken tells the client of a failure, and nobody of the key (GWY-07)', async () => {
    const broken = { ...clientKey, x: 'AAAA' };
    const scene = scriptedGateway({ upstream: { ...upstream, clientKey: broken } });
    const browser = scene.browser();
    const { upstream: left } = await scene.leave(browser);
    const { url } = await browser.open(callbackUrl(left));
    expect(url.searchParams.get('error')).toBe('server_error');
    expect(scene.logged).toContainEqual(expect.objectContaining({ event: 'gateway.transaction-ended', code: 'invalid_configuration' }));
    expect(JSON.stringify(scene.logged)).not.toContain(String(clientKey['d']));
    expect((await post(scene.gateway, 'token', codeForm('x', { url, html: '' }))).status).toBe(401);
  });
});
