/** Gateways before a scripted identity provider, replicas over one store, and a simulated clock. */
import { createGateway, type Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type GatewayBrowser, gatewayBrowser, type Landing } from './gateway-browser.ts';
import { authorizeUrl, codeForm, GATEWAY, type Json, post, RESOURCE, registeredClient } from './gateway-scene.ts';
import { IDENTITY_PROVIDER, type ScriptedIdentityProvider, scriptedIdentityProvider } from './scripted-identity-provider.ts';
import { type SimulatedClock, simulatedClock } from './simulated-clock.ts';

export interface ScriptedGateway {
  readonly gateway: Gateway;
  readonly provider: ScriptedIdentityProvider;
  readonly clock: SimulatedClock;
  readonly store: Store;
  readonly logged: Json[];
  /** Another process with the same configuration. */
  replica(): Gateway;
  browser(gateway?: Gateway): GatewayBrowser;
  /** Registers a client and lets the person consent: the URL upstream it is sent to. */
  leave(browser: GatewayBrowser, changes?: Readonly<Record<string, string | undefined>>): Promise<{ clientId: string; upstream: URL }>;
  /** The whole way to a code. */
  signedIn(browser: GatewayBrowser): Promise<{ clientId: string; landing: Landing }>;
  tokens(): Promise<{ clientId: string; body: Json }>;
}

/** Where the identity provider sends the browser. */
export function callbackUrl(upstream: URL, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters = { code: 'upstream-code', state: upstream.searchParams.get('state') ?? '', iss: IDENTITY_PROVIDER, ...changes };
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${GATEWAY}/oauth/callback?${new URLSearchParams(given)}`;
}

export function scriptedGateway(changes: Partial<GatewayOptions> & { readonly clock?: SimulatedClock } = {}): ScriptedGateway {
  const provider = scriptedIdentityProvider();
  const clock = changes.clock ?? simulatedClock();
  const store = changes.store ?? memoryStore({ clock });
  const logged: Json[] = [];
  const all: GatewayOptions = {
    resource: RESOURCE,
    // None of its own: it gives no ID tokens.
    upstream: { issuer: IDENTITY_PROVIDER, clientId: 'gateway', clientSecret: 'the secret upstream', scopes: [] },
    tokens: { format: 'opaque' },
    store,
    sealingKeys: { keys: { one: new Uint8Array(32).fill(7) }, current: 'one' },
    clock,
    fetch: provider.fetch,
    logger: (record) => logged.push({ ...record }),
    ...changes,
  };
  // A change to undefined leaves the option out.
  const options = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as GatewayOptions;
  const gateway = createGateway(options);
  const scene: ScriptedGateway = {
    gateway,
    provider,
    clock,
    store,
    logged,
    replica: () => createGateway(options),
    browser: (before = gateway) => gatewayBrowser({ gateway: before, origin: GATEWAY, providerOrigin: 'https://no.example' }),
    async leave(browser, authorizeChanges) {
      const clientId = await registeredClient(gateway);
      const { url } = await browser.answer(await browser.open(authorizeUrl(clientId, authorizeChanges)), 'allow');
      return { clientId, upstream: url };
    },
    async signedIn(browser) {
      const { clientId, upstream } = await scene.leave(browser);
      return { clientId, landing: await browser.open(callbackUrl(upstream)) };
    },
    async tokens() {
      const { clientId, landing } = await scene.signedIn(scene.browser());
      return { clientId, body: (await post(gateway, 'token', codeForm(clientId, landing))).body };
    },
  };
  return scene;
}
