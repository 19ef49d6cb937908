import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { isTokenRejected } from '../../src/gateway/token-validator.ts';
import {
  authorizeUrl,
  backendToken,
  codeForm,
  GATEWAY,
  gatewayScene,
  post,
  REDIRECT_URI,
  RESOURCE,
  refreshForm,
  registeredClient,
  signIn,
} from '../helpers/gateway-scene.ts';

it('signs a person in by consent here and the identity provider upstream, and gives the client tokens of its own (GWY-03, GWY-07, GWY-08)', async () => {
  const scene = await gatewayScene();
  const clientId = await registeredClient(scene.gateway);
  const browser = scene.browser();
  const consent = await browser.open(authorizeUrl(clientId));
  expect(consent.response?.status, consent.html).toBe(200);
  const landing = await browser.answer(consent, 'allow');
  expect(`${landing.url.origin}${landing.url.pathname}`, landing.html).toBe(REDIRECT_URI);
  expect(landing.url.searchParams.get('state')).toBe('the state of the client');
  // The issuer upstream stays upstream.
  expect(landing.url.searchParams.getAll('iss')).toEqual([GATEWAY]);
  const { status, body, response } = await post(scene.gateway, 'token', codeForm(clientId, landing));
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'read' });
  expect(status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');

  const keys = await scene.gateway.fetch(new Request(`${GATEWAY}/oauth/jwks`));
  const { payload, protectedHeader } = await jwtVerify(
    String(body['access_token']),
    createLocalJWKSet((await keys.json()) as JSONWebKeySet),
    {
      issuer: GATEWAY,
      audience: RESOURCE,
      typ: 'at+jwt',
    },
  );
  expect(protectedHeader.alg).toBe('ES256');
  expect(payload).toMatchObject({ sub: 'demo', client_id: clientId, scope: 'read' });

  const upstreamToken = await backendToken(scene.gateway, body['access_token']);
  expect(upstreamToken).not.toBe(body['access_token']);
  expect(JSON.parse(atob(upstreamToken.split('.')[1] ?? ''))).toMatchObject({ iss: scene.provider.issuer, aud: 'http://127.0.0.1:9/mcp' });

  const refreshed = await post(scene.gateway, 'token', refreshForm(clientId, body));
  expect(refreshed.body).toMatchObject({ token_type: 'Bearer', scope: 'read' });
  expect(refreshed.body['refresh_token']).not.toBe(body['refresh_token']);

  await post(scene.gateway, 'revoke', { client_id: clientId, token: String(refreshed.body['refresh_token']) });
  await expect(backendToken(scene.gateway, refreshed.body['access_token'])).rejects.toSatisfy(isTokenRejected);
});

it('brings the refusal of the person back to the client, here and upstream (GWY-06, GWY-07)', async () => {
  const scene = await gatewayScene();
  const clientId = await registeredClient(scene.gateway);
  const here = scene.browser();
  const refusedHere = await here.answer(await here.open(authorizeUrl(clientId)), 'refuse');
  const refusedUpstream = await signIn(scene.browser('refuse'), clientId);
  for (const { url } of [refusedHere, refusedUpstream]) {
    expect(Object.fromEntries(url.searchParams)).toEqual({ error: 'access_denied', state: 'the state of the client', iss: GATEWAY });
  }
  expect(here.cookies.size).toBe(0);
});
