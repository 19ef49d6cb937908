/** The server that the integration tests look at: the one `MCP_SERVER_URL` names, or one of their own. */

import { protect } from '../../src/gateway/protect.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { startGatewayServer } from '../fixtures/gateway-server.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { startUnprotectedMcp } from '../fixtures/unprotected-mcp.ts';
import { authorizeUrl, codeForm, REDIRECT_URI } from '../helpers/gateway-scene.ts';

export interface IntegrationTarget {
  readonly url: string;
  /** A foreign server may do without sessions. */
  readonly isOwn: boolean;
  /** Of two different people. */
  readonly tokens: readonly [string, string];
  close(): Promise<void>;
}

const SCOPES = ['read'];

/** @throws Error naming what is missing: half a configuration is a mistake, and no reason to test something else */
export async function integrationTarget(environment: NodeJS.ProcessEnv = process.env): Promise<IntegrationTarget> {
  const { MCP_SERVER_URL: url = '', MCP_TEST_AUTH_TOKEN: first = '', MCP_TEST_AUTH_TOKEN_2: second = '' } = environment;
  if (url === '' && first === '' && second === '') return ownTarget();
  const missing = Object.entries({ MCP_SERVER_URL: url, MCP_TEST_AUTH_TOKEN: first, MCP_TEST_AUTH_TOKEN_2: second })
    .filter(([, value]) => value === '')
    .map(([name]) => name);
  if (missing.length > 0) throw new Error(`Set ${missing.join(' and ')}, too: the tests need a server and the tokens of two people.`);
  if (first === second)
    throw new Error('MCP_TEST_AUTH_TOKEN and MCP_TEST_AUTH_TOKEN_2 are the same: the tests need the tokens of two people.');
  return { url, isOwn: false, tokens: [first, second], close: async () => {} };
}

/** The gateway before an MCP server of the official SDK, and two people who have signed in. */
export async function ownTarget(): Promise<IntegrationTarget> {
  const provider = await startOidcProvider({ scopes: SCOPES });
  const backend = await startUnprotectedMcp();
  const server = await startGatewayServer({
    provider,
    scopes: SCOPES,
    backend: ({ url, gateway }) =>
      protect({ resource: url, validator: gateway.validator, scopes: SCOPES, ...reverseProxy({ resource: url, backend: backend.url }) }),
  });
  const tokens = [await signedIn(server.issuer, server.url, 'alice'), await signedIn(server.issuer, server.url, 'bob')] as const;
  return {
    url: server.url,
    isOwn: true,
    tokens,
    async close() {
      for (const part of [server, backend, provider]) await part.close();
    },
  };
}

async function signedIn(issuer: string, resource: string, account: string): Promise<string> {
  const post = async (path: string, init: RequestInit): Promise<Record<string, string>> =>
    (await (await fetch(`${issuer}/oauth/${path}`, { method: 'POST', ...init })).json()) as Record<string, string>;
  const { client_id: clientId = '' } = await post('register', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: account, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }),
  });
  const query = new URL(authorizeUrl(clientId, { resource })).search;
  const landing = new URL(await approveWithoutBrowser(`${issuer}/oauth/authorize${query}`, { account }));
  const form = codeForm(clientId, { url: landing, html: '' });
  const { access_token: token } = await post('token', { body: new URLSearchParams({ ...form, resource }) });
  if (token === undefined) throw new Error(`${account} got no token`);
  return token;
}
