import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { ASSERTION_TYPE } from '../../src/gateway/oauth/client-assertions.ts';
import type { Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { authorizeUrl, codeForm, GATEWAY, type Json, post } from '../helpers/gateway-scene.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER, scriptedIdentityProvider } from '../helpers/scripted-identity-provider.ts';

const CLIENT = 'https://client.example.com/oauth/client.json';
const KEYS = 'https://client.example.com/keys';
const TOKEN = `${GATEWAY}/oauth/token`;

const [pair, other] = await Promise.all([generateKeyPair('ES256', { extractable: true }), generateKeyPair('ES256')]);
const PUBLIC: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const DOCUMENT = {
  client_id: CLIENT,
  client_name: 'Signing agent',
  redirect_uris: ['http://127.0.0.1:5000/callback'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [PUBLIC] },
};

interface World {
  readonly scene: ScriptedGateway;
  /** Documents by URL; what is not here is not found. */
  readonly documents: Map<string, unknown>;
  /** Every URL that was fetched, but the identity provider's. */
  readonly asked: string[];
}

function world(document: Json = DOCUMENT, changes: Pick<GatewayOptions, 'clientMetadataDocuments'> = {}): World {
  const documents = new Map<string, unknown>([[CLIENT, document]]);
  const asked: string[] = [];
  const provider = scriptedIdentityProvider();
  const scene = scriptedGateway({
    clientMetadataDocuments: { resolve: () => Promise.resolve(['93.184.215.14']) },
    fetch: (input, init) => {
      const { url } = new Request(input, init);
      if (url.startsWith(`${IDENTITY_PROVIDER}/`)) return provider.fetch(input, init);
      asked.push(url);
      const found = documents.get(url);
      return Promise.resolve(found === undefined ? new Response(null, { status: 404 }) : Response.json(found));
    },
    ...changes,
  });
  return { scene, documents, asked };
}

async function code({ scene }: World): Promise<Record<string, string>> {
  const browser = scene.browser();
  const { url } = await browser.answer(await browser.open(authorizeUrl(CLIENT)), 'allow');
  return codeForm(CLIENT, await browser.open(callbackUrl(url)));
}

interface Assertion {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: { readonly alg?: string; readonly kid?: string; readonly typ?: string };
  readonly key?: CryptoKey | Uint8Array;
}

let jtis = 0;

function assertionOf({ scene }: World, { claims = {}, header = {}, key = pair.privateKey }: Assertion = {}): Promise<string> {
  const now = Math.floor(scene.clock.now() / 1000);
  jtis += 1;
  const all = { iss: CLIENT, sub: CLIENT, aud: TOKEN, iat: now, exp: now + 60, jti: `jti-${jtis}`, ...claims };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key);
}

const withAssertion = (form: Record<string, string>, assertion: string): Record<string, string> => ({
  ...form,
  client_assertion_type: ASSERTION_TYPE,
  client_assertion: assertion,
});

const unsigned = (header: object, claims: object): string =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

async function present(gateway: Gateway, form: Record<string, string>): Promise<readonly [number, unknown]> {
  const { status, body } = await post(gateway, 'token', form);
  return [status, body['error'] ?? body['token_type']];
}

const REFUSED = [401, 'invalid_client'];

describe('a client that signs', () => {
  it.each<[string, Assertion]>([
    ['for the token endpoint', {}],
    ['for the issuer', { claims: { aud: GATEWAY } }],
    ['for a list of one', { claims: { aud: [GATEWAY] } }],
    ['with a type of its own', { header: { typ: 'client-authentication+jwt' } }],
    ['with a clock that is a minute ahead', { claims: { iat: 1_767_225_600 + 59, nbf: 1_767_225_600 + 59 } }],
    ['with a clock that is a minute behind', { claims: { iat: 1_767_225_600 - 119, exp: 1_767_225_600 - 59 } }],
  ])('%s redeems its code, refreshes and revokes (GWY-05, GWY-08)', async (_, assertion) => {
    const here = world();
    const form = await code(here);
    const { status, body } = await post(here.scene.gateway, 'token', withAssertion(form, await assertionOf(here, assertion)));
    expect([status, body['error']]).toEqual([200, undefined]);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    // client_id may be left out: the assertion names it.
    const refreshed = await post(here.scene.gateway, 'token', withAssertion(refresh, await assertionOf(here, assertion)));
    expect(refreshed.status).toBe(200);
    const revoked = { token: String(refreshed.body['refresh_token']) };
    expect((await post(here.scene.gateway, 'revoke', withAssertion(revoked, await assertionOf(here, assertion)))).status).toBe(200);
  });

  it.each<[string, Assertion]>([
    ['with another key', { key: other.privateKey }],
    ['under a name of a key that is not published', { header: { kid: 'k2' } }],
    ['as another client', { claims: { iss: 'https://other.example.com/client.json', sub: 'https://other.example.com/client.json' } }],
    ['for another subject', { claims: { sub: 'https://other.example.com/client.json' } }],
    ['as another issuer', { claims: { iss: 'https://other.example.com/client.json' } }],
    ['for another server', { claims: { aud: 'https://other.example.com/oauth/token' } }],
    ['for another server and this one', { claims: { aud: ['https://other.example.com', TOKEN] } }],
    ['for the issuer, almost', { claims: { aud: `${GATEWAY}/` } }],
    ['for the resource', { claims: { aud: `${GATEWAY}/mcp` } }],
    ['for nobody', { claims: { aud: undefined } }],
    ['without an end', { claims: { exp: undefined } }],
    ['with an end that is over', { claims: { exp: 1_767_225_600 - 61 } }],
    ['with an end in an hour', { claims: { exp: 1_767_225_600 + 3600 } }],
    ['with an end that is no number', { claims: { exp: 'never' } }],
    ['from the future', { claims: { iat: 1_767_225_600 + 61 } }],
    ['that is not valid yet', { claims: { nbf: 1_767_225_600 + 61 } }],
    ['without an identifier', { claims: { jti: undefined } }],
    ['with an empty identifier', { claims: { jti: '' } }],
    ['with an identifier that is no text', { claims: { jti: 7 } }],
    ['with the type of an access token', { header: { typ: 'at+jwt' } }],
    ['with the published key as a secret', { header: { alg: 'HS256' }, key: new TextEncoder().encode(JSON.stringify(PUBLIC)) }],
  ])('%s is refused, and its code stays good (GWY-05)', async (_, assertion) => {
    const here = world();
    expect(here.scene.clock.now()).toBe(1_767_225_600_000);
    const form = await code(here);
    expect(await present(here.scene.gateway, withAssertion(form, await assertionOf(here, assertion)))).toEqual(REFUSED);
    expect((await present(here.scene.gateway, withAssertion(form, await assertionOf(here))))[0]).toBe(200);
  });

  it.each(['none', 'None', 'NONE', ''])('not at all, and says so by the algorithm %j, is refused (GWY-05)', async (alg) => {
    const here = world();
    const form = await code(here);
    const claims = { iss: CLIENT, sub: CLIENT, aud: TOKEN, exp: 1_767_225_660, jti: 'x' };
    expect(await present(here.scene.gateway, withAssertion(form, unsigned({ alg, kid: 'k1' }, claims)))).toEqual(REFUSED);
  });

  it.each<[string, (form: Record<string, string>, assertion: string) => Record<string, string>, unknown[]]>([
    ['does not sign', (form) => form, REFUSED],
    ['sends a secret instead', (form) => ({ ...form, client_secret: 'x' }), REFUSED],
    ['sends a secret, too', (form, jwt) => ({ ...withAssertion(form, jwt), client_secret: 'x' }), [400, 'invalid_request']],
    ['says no type', (form, jwt) => ({ ...form, client_assertion: jwt }), [400, 'invalid_request']],
    ['says another type', (form, jwt) => ({ ...withAssertion(form, jwt), client_assertion_type: 'urn:x' }), [400, 'invalid_request']],
    ['leaves out the assertion', (form) => ({ ...form, client_assertion_type: ASSERTION_TYPE }), REFUSED],
    ['sends no JWT', (form) => withAssertion(form, 'a.b.c'), REFUSED],
    ['sends 60 kB', (form) => withAssertion(form, 'a'.repeat(60_000)), REFUSED],
    ['names another client beside it', (form, jwt) => withAssertion({ ...form, client_id: '1.x' }, jwt), REFUSED],
  ])('and %s is refused (GWY-05)', async (_, change, expected) => {
    const here = world();
    const form = await code(here);
    expect(await present(here.scene.gateway, change(form, await assertionOf(here)))).toEqual(expected);
  });

  it('shows each assertion once, on all replicas together and at the same instant; the same name for another client is another (GWY-04, GWY-05)', async () => {
    const here = world();
    const replica = here.scene.replica();
    const assertion = await assertionOf(here);
    const form = { grant_type: 'refresh_token', refresh_token: 'none' };
    const answers = await Promise.all(
      [here.scene.gateway, replica, here.scene.gateway, replica].map((gateway) => present(gateway, withAssertion(form, assertion))),
    );
    const outcomes = answers.map(([status, error]) => `${status} ${String(error)}`).sort();
    expect(outcomes).toEqual(['400 invalid_grant', '401 invalid_client', '401 invalid_client', '401 invalid_client']);
    await here.scene.clock.advance(100_000);
    expect(await present(replica, withAssertion(form, assertion))).toEqual(REFUSED);
  });

  it('too often is told to wait, so that what is remembered of assertions stays bounded (GWY-05)', async () => {
    const here = world();
    const form = { grant_type: 'refresh_token', refresh_token: 'none' };
    const statuses = new Set<number>();
    for (let count = 0; count < 600; count += 1)
      statuses.add((await present(here.scene.gateway, withAssertion(form, await assertionOf(here))))[0]);
    expect([...statuses]).toEqual([400]);
    const { response } = await post(here.scene.gateway, 'token', withAssertion(form, await assertionOf(here)));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '60']);
  });

  it.each<[string, Json]>([
    ['with no keys', { jwks: undefined }],
    ['with an empty key set', { jwks: { keys: [] } }],
    ['with a private key', { jwks: { keys: [{ ...PUBLIC, d: 'x' }] } }],
    ['with a secret as a key', { jwks: { keys: [{ kty: 'oct', k: 'x', kid: 'k1' }] } }],
    ['with keys in two places', { jwks_uri: KEYS }],
    ['with keys at an http URL', { jwks: undefined, jwks_uri: 'http://client.example.com/keys' }],
    ['with more keys than anybody needs', { jwks: { keys: Array.from({ length: 21 }, () => ({ kty: 'EC' })) } }],
    ['that wants to share a secret', { token_endpoint_auth_method: 'client_secret_jwt' }],
  ])('in a document %s is not let in (GWY-05)', async (_, changes) => {
    const { scene } = world({ ...DOCUMENT, ...changes });
    const { response, html } = await scene.browser().open(authorizeUrl(CLIENT));
    expect([response?.status, html.includes('<form')]).toEqual([400, false]);
  });

  it('with keys elsewhere is known by them, a new one within half a minute, and they are not read for every request (GWY-05)', async () => {
    const here = world({ ...DOCUMENT, jwks: undefined, jwks_uri: KEYS });
    here.documents.set(KEYS, { keys: [PUBLIC] });
    const form = { grant_type: 'refresh_token', refresh_token: 'none' };
    const show = async (assertion?: Assertion) =>
      (await present(here.scene.gateway, withAssertion(form, await assertionOf(here, assertion))))[0];
    expect([await show(), await show()]).toEqual([400, 400]);
    expect(here.asked).toEqual([CLIENT, KEYS]);
    const next = await generateKeyPair('ES256');
    here.documents.set(KEYS, { keys: [PUBLIC, { ...(await exportJWK(next.publicKey)), kid: 'k2' }] });
    const signedAnew = { key: next.privateKey, header: { kid: 'k2' } };
    expect(await show(signedAnew)).toBe(401);
    await here.scene.clock.advance(30_000);
    expect(await show(signedAnew)).toBe(400);
    for (let count = 0; count < 5; count += 1) expect(await show({ header: { kid: `k-${count}` } })).toBe(401);
    expect(here.asked).toEqual([CLIENT, KEYS, KEYS]);
  });

  it.each([['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254'], ['::1']])(
    'with keys at a name that leads to %s makes no request there (GWY-05)',
    async (address) => {
      const documents = { resolve: (name: string) => Promise.resolve([name === 'inside.example.com' ? address : '93.184.215.14']) };
      const uri = 'https://inside.example.com/keys';
      const here = world({ ...DOCUMENT, jwks: undefined, jwks_uri: uri }, { clientMetadataDocuments: documents });
      // Whoever asked there would get what proves the client.
      here.documents.set(uri, { keys: [PUBLIC] });
      expect(await present(here.scene.gateway, withAssertion({ grant_type: 'refresh_token' }, await assertionOf(here)))).toEqual([
        400,
        'invalid_client',
      ]);
      expect(here.asked).toEqual([CLIENT]);
    },
  );

  it('is told of in the metadata, where documents are accepted, and cannot register that way (GWY-02, GWY-05)', async () => {
    const metadata = async ({ scene }: World): Promise<Json> =>
      (await (await scene.gateway.fetch(new Request(`${GATEWAY}/.well-known/oauth-authorization-server`))).json()) as Json;
    const told = await metadata(world());
    expect(told['token_endpoint_auth_methods_supported']).toContain('private_key_jwt');
    expect(told['token_endpoint_auth_signing_alg_values_supported']).toContain('ES256');
    expect(JSON.stringify(told)).not.toMatch(/HS256|"none"\],"revocation_endpoint_auth_signing/);
    const without = await metadata(world(DOCUMENT, { clientMetadataDocuments: false }));
    expect(without['token_endpoint_auth_methods_supported']).not.toContain('private_key_jwt');
    expect(without).not.toHaveProperty('token_endpoint_auth_signing_alg_values_supported');
  });
});
