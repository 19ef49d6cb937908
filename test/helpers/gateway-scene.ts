/** A gateway before oidc-provider, a registered client of it, and a person with a browser. */
import { onTestFinished } from 'vitest';
import { createGateway, type Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { type OidcProvider, type OidcProviderOptions, startOidcProvider } from '../fixtures/oidc-provider.ts';
import { type GatewayBrowser, gatewayBrowser, type Landing } from './gateway-browser.ts';

export const GATEWAY = 'https://gateway.example.com';
export const RESOURCE = `${GATEWAY}/mcp`;
export const BACKEND = 'http://127.0.0.1:9/mcp';
export const REDIRECT_URI = 'http://127.0.0.1:5000/callback';
/** RFC 7636 appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

export type Json = Readonly<Record<string, unknown>>;

/** Where requests for a gateway go: one in this process, or a process of its own. */
export interface GatewayEntry {
  fetch(request: Request): Promise<Response>;
}

export interface GatewayScene {
  readonly gateway: Gateway;
  readonly provider: OidcProvider;
  readonly options: GatewayOptions;
  /** A browser of another person, or another one of the same. */
  browser(providerChoice?: 'allow' | 'refuse', gateway?: Gateway): GatewayBrowser;
}

export async function gatewayScene(
  changes: Partial<GatewayOptions> = {},
  providerOptions: Partial<OidcProviderOptions> = {},
): Promise<GatewayScene> {
  const provider = await startOidcProvider({ scopes: ['read', 'write'], ...providerOptions });
  onTestFinished(() => provider.close());
  const options: GatewayOptions = {
    resource: RESOURCE,
    scopes: ['read', 'write'],
    name: 'Weather',
    upstream: {
      issuer: provider.issuer,
      ...(await registeredUpstream(provider, `${GATEWAY}/oauth/callback`)),
      scopes: ['openid', 'offline_access'],
      resource: BACKEND,
    },
    ...changes,
  };
  const gateway = createGateway(options);
  return {
    gateway,
    provider,
    options,
    browser: (providerChoice = 'allow', before = gateway) =>
      gatewayBrowser({ gateway: before, origin: GATEWAY, providerOrigin: new URL(provider.issuer).origin, providerChoice }),
  };
}

export async function register(gateway: GatewayEntry, metadata: Json = {}): Promise<{ status: number; body: Json }> {
  const response = await gateway.fetch(
    new Request(`${GATEWAY}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [REDIRECT_URI], client_name: 'Agent', token_endpoint_auth_method: 'none', ...metadata }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Json };
}

export async function registeredClient(gateway: GatewayEntry, metadata: Json = {}): Promise<string> {
  const { body } = await register(gateway, metadata);
  return String(body['client_id']);
}

export function authorizeUrl(clientId: string, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    state: 'the state of the client',
    scope: 'read',
    resource: RESOURCE,
    ...changes,
  };
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${GATEWAY}/oauth/authorize?${new URLSearchParams(given)}`;
}

/** Consent and sign-in; where the browser ends. */
export async function signIn(
  browser: GatewayBrowser,
  clientId: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<Landing> {
  return browser.answer(await browser.open(authorizeUrl(clientId, changes)), 'allow');
}

export async function post(
  gateway: GatewayEntry,
  path: 'token' | 'revoke',
  form: Readonly<Record<string, string>>,
  headers: Record<string, string> = {},
): Promise<{ response: Response; status: number; body: Json }> {
  const response = await gateway.fetch(
    new Request(`${GATEWAY}/oauth/${path}`, { method: 'POST', body: new URLSearchParams(form), headers }),
  );
  return { response, status: response.status, body: (await response.json()) as Json };
}

export function codeForm(clientId: string, landing: Landing): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: landing.url.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    resource: RESOURCE,
  };
}

export function refreshForm(clientId: string, tokens: Json): Record<string, string> {
  return { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(tokens['refresh_token']) };
}

/** What the backend would get for this token. */
export async function backendToken({ validator }: Gateway, token: unknown): Promise<string> {
  const context = { resource: RESOURCE, signal: new AbortController().signal };
  const validated = await validator.validate(String(token), context);
  return (await validator.exchange(validated, context)).token;
}
