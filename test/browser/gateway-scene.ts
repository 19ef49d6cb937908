/** A gateway on `http://localhost`, oidc-provider upstream on another site, a client that listens on loopback, and people with browsers. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { createGateway, type Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { CHALLENGE, VERIFIER } from '../helpers/gateway-scene.ts';

export interface GatewayScene {
  /** `http://localhost:<port>` */
  readonly origin: string;
  readonly redirectUri: string;
  /** URLs that browsers were sent to at the client. */
  readonly callbacks: readonly URL[];
  /** Where a registered client sends the person; `changes` to what it registers, or to what it asks. */
  authorizeUrl(metadata?: object, changes?: Readonly<Record<string, string>>): Promise<string>;
  redeem(callback: URL): Promise<Response>;
  /** The next callback of the identity provider does not get to the gateway: an attacker keeps it. */
  takeCallback(): Promise<string>;
  person(options?: BrowserContextOptions): Promise<Person>;
}

export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the pages have complained of. */
  readonly complaints: readonly string[];
}

/** Serves on a free port; the listener is made once the port is known. */
export async function served(listener: (port: number) => RequestListener, host = 'localhost'): Promise<number> {
  const http = createServer();
  await new Promise<void>((resolve) => {
    http.listen(0, host, resolve);
  });
  onTestFinished(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const { port } = http.address() as AddressInfo;
  http.on('request', listener(port));
  return port;
}

export async function gatewayScene(browser: Browser, changes: Partial<GatewayOptions> = {}): Promise<GatewayScene> {
  const provider = await startOidcProvider({ scopes: ['read', 'write'] });
  onTestFinished(() => provider.close());
  let gateway: Gateway | undefined;
  let taker: ((url: string) => void) | undefined;
  const answerOf = async (request: Request): Promise<Response> => {
    if (taker !== undefined && new URL(request.url).pathname === '/oauth/callback') {
      taker(request.url);
      taker = undefined;
      return new Response('taken');
    }
    return (await gateway?.fetch(request)) ?? new Response(null, { status: 503 });
  };
  const port = await served(() => {
    const answer = toNodeHandler({ fetch: answerOf });
    return (request, response) => void answer(request as Parameters<typeof answer>[0], response);
  });
  const origin = `http://localhost:${port}`;
  const upstream = await registeredUpstream(provider, `${origin}/oauth/callback`);
  gateway = createGateway({
    resource: `${origin}/mcp`,
    name: 'Weather',
    upstream: {
      issuer: provider.issuer,
      ...upstream,
      resource: 'http://127.0.0.1:9/mcp',
    },
    ...changes,
  });
  const callbacks: URL[] = [];
  const clientPort = await served((own) => (request, response) => {
    const url = new URL(request.url ?? '/', `http://localhost:${own}`);
    if (url.pathname === '/callback') callbacks.push(url);
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Client</title><h1>Back at the client</h1>');
  });
  const redirectUri = `http://localhost:${clientPort}/callback`;
  return {
    origin,
    redirectUri,
    callbacks,
    async authorizeUrl(metadata = {}, asked = {}) {
      const defaults = { redirect_uris: [redirectUri], client_name: 'Agent', token_endpoint_auth_method: 'none' };
      const { client_id } = await registered(`${origin}/oauth/register`, { ...defaults, ...metadata });
      return authorizationUrl(origin, { client_id, redirect_uri: redirectUri, ...asked });
    },
    redeem: (callback) =>
      fetch(`${origin}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: clientOf.get(callback.searchParams.get('state') ?? '') ?? '',
          code: callback.searchParams.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: VERIFIER,
        }),
      }),
    takeCallback: () =>
      new Promise((resolve) => {
        taker = resolve;
      }),
    async person(options = {}) {
      const context = await browser.newContext({ locale: 'en', ...options });
      onTestFinished(() => context.close());
      const page = await context.newPage();
      const complaints: string[] = [];
      context.on('console', (message) => complaints.push(message.text()));
      return { context, page, complaints };
    },
  };
}

/** Which client a `state` is of. */
const clientOf = new Map<string, string>();

function authorizationUrl(origin: string, asked: Readonly<Record<string, string>> & { readonly client_id: string }): string {
  const state = crypto.randomUUID();
  clientOf.set(state, asked.client_id);
  const parameters = { response_type: 'code', code_challenge: CHALLENGE, code_challenge_method: 'S256', state, scope: 'read', ...asked };
  return `${origin}/oauth/authorize?${new URLSearchParams(parameters)}`;
}

async function registered(endpoint: string, metadata: object): Promise<{ client_id: string }> {
  const headers = { 'content-type': 'application/json' };
  return (await (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(metadata) })).json()) as { client_id: string };
}
