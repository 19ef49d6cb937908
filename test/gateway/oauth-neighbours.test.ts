import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { authorizeUrl, backendToken, codeForm, GATEWAY, post, REDIRECT_URI, refreshForm } from '../helpers/gateway-scene.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { scriptedIdentityProvider } from '../helpers/scripted-identity-provider.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

/** Known to both of them, by its document: nothing but what belongs to a gateway keeps them apart. */
const CLIENT = 'https://client.example.com/client.json';

interface Neighbours {
  readonly weather: ScriptedGateway;
  readonly payroll: ScriptedGateway;
}

function neighbours(other: Partial<Pick<GatewayOptions, 'issuer' | 'resource'>>): Neighbours {
  const clock = simulatedClock();
  const provider = scriptedIdentityProvider();
  const shared = {
    store: memoryStore({ clock }),
    clock,
    clientMetadataDocuments: { resolve: () => Promise.resolve(['93.184.215.14']) },
    fetch: (async (input, init) =>
      new Request(input, init).url === CLIENT
        ? Response.json({ client_id: CLIENT, client_name: 'Agent', redirect_uris: [REDIRECT_URI] })
        : provider.fetch(input, init)) as NonNullable<GatewayOptions['fetch']>,
  };
  return { weather: scriptedGateway(shared), payroll: scriptedGateway({ ...shared, ...other }) };
}

async function signedIn(scene: ScriptedGateway) {
  const browser = scene.browser();
  const { url } = await browser.answer(await browser.open(authorizeUrl(CLIENT)), 'allow');
  return browser.open(callbackUrl(url));
}

const withoutResource = ({ resource: _, ...form }: Readonly<Record<string, string>>): Record<string, string> => form;

describe.each<[string, Partial<Pick<GatewayOptions, 'issuer' | 'resource'>>]>([
  ['another issuer', { issuer: 'https://payroll.example.com' }],
  ['another resource', { resource: 'https://payroll.example.com/mcp', issuer: GATEWAY }],
])('two gateways that share a store and keys, one of them for %s', (_, other) => {
  it('redeem no code of each other, which stays good where it belongs (GWY-06, GWY-08)', async () => {
    const { weather, payroll } = neighbours(other);
    const landing = await signedIn(weather);
    const form = withoutResource(codeForm(CLIENT, landing));
    const elsewhere = await post(payroll.gateway, 'token', form);
    expect([elsewhere.status, elsewhere.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await post(weather.gateway, 'token', form)).status).toBe(200);
  });

  it('renew and revoke no tokens of each other (GWY-08)', async () => {
    const { weather, payroll } = neighbours(other);
    const { body } = await post(weather.gateway, 'token', codeForm(CLIENT, await signedIn(weather)));
    const elsewhere = await post(payroll.gateway, 'token', refreshForm(CLIENT, body));
    expect([elsewhere.status, elsewhere.body['error']]).toEqual([400, 'invalid_grant']);
    for (const name of ['refresh_token', 'access_token'])
      expect((await post(payroll.gateway, 'revoke', { client_id: CLIENT, token: String(body[name]) })).status).toBe(200);
    expect(await backendToken(weather.gateway, body['access_token'])).toBe('upstream-access-1');
    expect((await post(weather.gateway, 'token', refreshForm(CLIENT, body))).status).toBe(200);
  });

  it('take no answer of the identity provider for each other (GWY-06, GWY-07)', async () => {
    const { weather, payroll } = neighbours(other);
    const browser = weather.browser();
    const { url } = await browser.answer(await browser.open(authorizeUrl(CLIENT)), 'allow');
    const astray = payroll.browser();
    for (const [name, value] of browser.cookies) astray.cookies.set(name, value);
    const landed = await astray.open(callbackUrl(url));
    expect([landed.response?.status, landed.url.origin]).toEqual([400, GATEWAY]);
    expect((await browser.open(callbackUrl(url))).url.searchParams.has('code')).toBe(true);
  });

  it('know no registrations of each other (GWY-05)', async () => {
    const { weather, payroll } = neighbours(other);
    const { clientId, landing } = await weather.signedIn(weather.browser());
    expect((await payroll.browser().open(authorizeUrl(clientId, { resource: undefined }))).response?.status).toBe(400);
    const elsewhere = await post(payroll.gateway, 'token', withoutResource(codeForm(clientId, landing)));
    expect([elsewhere.status, elsewhere.body['error']]).toEqual([401, 'invalid_client']);
    expect((await post(weather.gateway, 'token', codeForm(clientId, landing))).status).toBe(200);
  });
});
