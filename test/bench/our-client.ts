/** authchart as an embedder uses it: memory store, its journal included. */
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { AuthorizationClient } from '../../src/client.ts';
import type { AuthorizationClientOptions, FetchLike } from '../../src/options.ts';
import type { UserAgent } from '../../src/user-agents/contract.ts';
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { SDK_REDIRECT_URI } from '../helpers/sdk-memory-provider.ts';
import { newClient } from './sdk-client.ts';

/** The built package: what is measured is what is published. */
export type BuiltPackage = typeof import('../../src/index.ts');

/** Approves at once, or never. */
function userAgent(servers: ScriptedServers, approves: boolean): UserAgent {
  return {
    open: async ({ deliver }) => ({
      redirectUri: SDK_REDIRECT_URI,
      present: async ({ authorizationUrl }) => {
        if (approves) await deliver(await servers.approve(authorizationUrl));
      },
      close: async () => {},
    }),
  };
}

function createClient(built: BuiltPackage, servers: ScriptedServers, more: Partial<AuthorizationClientOptions> = {}): AuthorizationClient {
  return built.createAuthorizationClient({
    resource: servers.resource.url,
    clientMetadata: { client_name: 'bench', redirect_uris: [SDK_REDIRECT_URI] },
    store: built.memoryStore(),
    userAgent: userAgent(servers, true),
    fetch: servers.fetch,
    ...more,
  });
}

/** From the first call to its authorised answer. */
export async function ourFlow(built: BuiltPackage, servers: ScriptedServers, clientMetadataUrl?: string): Promise<void> {
  const client = createClient(built, servers, clientMetadataUrl === undefined ? {} : { clientMetadataUrl });
  const response = await client.fetch(servers.resource.url, { method: 'POST', body: '{}' });
  if (response.status !== 200) throw new Error(`the resource answered ${response.status}`);
  await client.close();
}

/** The same through the SDK's client and transport, with our `fetch`. */
export async function ourTransportFlow(built: BuiltPackage, servers: ScriptedServers): Promise<void> {
  const authorization = createClient(built, servers);
  const client = newClient();
  await client.connect(new StreamableHTTPClientTransport(new URL(servers.resource.url), { fetch: authorization.fetch }));
  await client.close();
  await authorization.close();
}

/** A client that is authorised and sends every further request by `send`. */
export async function authorizedClient(
  built: BuiltPackage,
  servers: ScriptedServers,
  send: FetchLike,
  more: Partial<AuthorizationClientOptions> = {},
): Promise<AuthorizationClient> {
  let current: FetchLike = servers.fetch;
  const client = createClient(built, servers, { ...more, fetch: (input, init) => current(input, init) });
  await client.authorize();
  current = send;
  return client;
}

/** A client whose flow waits for its user. */
export async function waitingClient(
  built: BuiltPackage,
  servers: ScriptedServers,
  clientMetadataUrl: string,
): Promise<AuthorizationClient> {
  const client = createClient(built, servers, { clientMetadataUrl, userAgent: userAgent(servers, false) });
  // Ends when the client is closed.
  void client.authorize().catch(() => undefined);
  await new Promise<void>((resolve) => {
    const stop = client.subscribe(({ step }) => {
      if (step !== 'awaiting-user') return;
      stop();
      resolve();
    });
  });
  return client;
}
