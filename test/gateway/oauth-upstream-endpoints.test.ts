import { describe, expect, it } from 'vitest';
import { AuthorizationError } from '../../src/errors.ts';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { UpstreamOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { codeForm, post, RESOURCE } from '../helpers/gateway-scene.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';

const endpoints = { authorization: `${IDENTITY_PROVIDER}/authorize?tenant=1`, token: `${IDENTITY_PROVIDER}/token` };

const problemsOf = (upstream: Partial<UpstreamOptions>): readonly string[] => {
  try {
    createGateway({ resource: RESOURCE, upstream: { clientId: 'gateway', ...upstream } });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof AuthorizationError)) throw thrown;
    return thrown.failure.details.problems ?? [];
  }
};

/** Where the browser ends, by a response with these parameters. */
async function landed(scene: ScriptedGateway, changes: Readonly<Record<string, string | undefined>> = {}) {
  const browser = scene.browser();
  const { clientId, upstream } = await scene.leave(browser);
  const landing = await browser.open(callbackUrl(upstream, changes));
  return { clientId, upstream, landing, error: landing.url.searchParams.get('error') };
}

describe('the scopes that are asked for upstream', () => {
  it('are those that tell who the person is and let them stay signed in, unless others are named (GWY-07, GWY-08)', async () => {
    const scopesOf = async (scopes: readonly string[] | undefined) => {
      const scene = scriptedGateway({ upstream: { issuer: IDENTITY_PROVIDER, clientId: 'gateway', ...(scopes && { scopes }) } });
      return (await scene.leave(scene.browser())).upstream.searchParams.get('scope');
    };
    expect(await scopesOf(undefined)).toBe('read openid offline_access');
    expect(await scopesOf(['email'])).toBe('read email');
    expect(await scopesOf([])).toBe('read');
  });
});

describe('an identity provider whose endpoints are named, and no issuer', () => {
  it('is refused where openid is asked for: nobody knows whose ID tokens to believe (GWY-07, GWY-14)', () => {
    const changes = { endpoints, scopes: ['openid', 'email'] };
    expect(problemsOf(changes)).toEqual([expect.stringMatching(/^`upstream\.issuer` is missing: .*`openid`/)]);
    expect(problemsOf({ ...changes, issuer: IDENTITY_PROVIDER })).toEqual([]);
    expect(problemsOf({ endpoints, scopes: ['email'] })).toEqual([]);
  });

  it('is asked for the scopes of the client alone, unless others are named: it may know none of OpenID Connect (GWY-03)', async () => {
    const scene = scriptedGateway({ upstream: { endpoints, clientId: 'gateway' } });
    expect((await scene.leave(scene.browser())).upstream.searchParams.get('scope')).toBe('read');
  });

  it.each([[undefined], [IDENTITY_PROVIDER], [`${IDENTITY_PROVIDER}/realms/one`]])(
    'signs people in with %s as iss of its response, which is compared with no guess (GWY-03, GWY-07)',
    async (iss) => {
      const scene = scriptedGateway({ upstream: { endpoints, clientId: 'gateway', scopes: [] } });
      scene.provider.metadata = {};
      const { clientId, upstream, landing } = await landed(scene, { iss });
      expect(upstream.searchParams.get('tenant')).toBe('1');
      expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).status).toBe(200);
    },
  );

  it('names nobody by an ID token that it gives without being asked: of which issuer it has to be is not known (GWY-07)', async () => {
    const scene = scriptedGateway({ upstream: { endpoints, clientId: 'gateway', scopes: [] }, tokens: {}, store: undefined as never });
    const claims = { iss: IDENTITY_PROVIDER, aud: 'gateway', sub: 'ada', exp: 4_000_000_000 };
    const id_token = `${btoa('{"alg":"ES256"}')}.${btoa(JSON.stringify(claims))}.x`.replaceAll('=', '');
    scene.provider.answer = () => Response.json({ access_token: 'a', token_type: 'Bearer', id_token });
    const { clientId, landing } = await landed(scene, { iss: undefined });
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
    expect(atob(String(body['access_token']).split('.')[1] ?? '')).not.toContain('ada');
  });
});

describe('an identity provider whose endpoints and issuer are named', () => {
  const upstream = { issuer: IDENTITY_PROVIDER, endpoints, clientId: 'gateway', clientSecret: 's', scopes: [] };
  const revoked = async (scene: ScriptedGateway) => {
    const { clientId, landing } = await landed(scene);
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
    await post(scene.gateway, 'revoke', { client_id: clientId, token: String(body['refresh_token']) });
    return scene.provider.revoked.length;
  };

  it('is asked at those, and for all else as its metadata says (GWY-03, GWY-07)', async () => {
    const scene = scriptedGateway({ upstream });
    Object.assign(scene.provider.metadata, {
      authorization_endpoint: `${IDENTITY_PROVIDER}/other`,
      token_endpoint: `${IDENTITY_PROVIDER}/x`,
    });
    expect((await scene.leave(scene.browser())).upstream.href).toContain(endpoints.authorization);
    expect(await revoked(scene)).toBe(2);
    expect((await landed(scene, { iss: undefined })).error).toBe('server_error');
    expect((await landed(scene, { iss: 'https://evil.example' })).error).toBe('server_error');
  });

  it('is used without its metadata where that cannot be had, which the log says once, and with it once it can (GWY-03, GWY-08)', async () => {
    const scene = scriptedGateway({ upstream });
    const { metadata } = scene.provider;
    scene.provider.metadata = {};
    expect(await revoked(scene)).toBe(0);
    expect((await landed(scene, { iss: 'https://evil.example' })).error).toBe('server_error');
    await scene.clock.advance(61_000);
    await scene.leave(scene.browser());
    const missing = scene.logged.filter(({ event }) => event === 'gateway.upstream-metadata-missing');
    expect(missing).toEqual([expect.objectContaining({ level: 'warn', code: 'metadata_incomplete' })]);
    scene.provider.metadata = metadata;
    await scene.clock.advance(61_000);
    expect(await revoked(scene)).toBe(2);
  });
});

describe('further parameters of the authorization request', () => {
  it.each(['state', 'redirect_uri', 'scope', 'nonce', 'code_challenge', 'request_uri'])(
    'are refused where they are ours to set: %s (GWY-07, GWY-14)',
    (name) => {
      expect(problemsOf({ issuer: IDENTITY_PROVIDER, parameters: { audience: 'api', [name]: 'hunter2' } })).toEqual([
        `\`upstream.parameters\` must not set \`${name}\`: the gateway does.`,
      ]);
    },
  );
});
