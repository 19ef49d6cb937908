/** The other side of the comparison: the official client SDK with its own OAuth, used as its documentation shows. */
import { auth, Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';

/** `auth()` until the user has to act. */
export async function sdkUntilUser(servers: ScriptedServers, provider: MemoryProvider): Promise<void> {
  const options = { serverUrl: servers.resource.url, fetchFn: servers.fetch };
  if ((await auth(provider, options)) !== 'REDIRECT') throw new Error('the SDK did not ask for its user');
}

/** The whole flow by `auth()` alone: no request to the resource, no transport. */
export async function sdkFlow(servers: ScriptedServers): Promise<MemoryProvider> {
  const provider = new MemoryProvider();
  await sdkUntilUser(servers, provider);
  const callback = new URL(await servers.approve(provider.authorizationUrl ?? ''));
  const result = await auth(provider, {
    serverUrl: servers.resource.url,
    fetchFn: servers.fetch,
    authorizationCode: callback.searchParams.get('code') ?? '',
    iss: callback.searchParams.get('iss') ?? '',
  });
  if (result !== 'AUTHORIZED') throw new Error(`the SDK ended as ${result}`);
  return provider;
}

/** What the SDK's host keeps while its user is away: `finishAuth` belongs to the transport. */
export interface SdkWaiting {
  readonly provider: MemoryProvider;
  readonly transport: StreamableHTTPClientTransport;
}

/** Client and transport with the SDK's `authProvider`, until the user has to act. */
export async function sdkTransportUntilUser(servers: ScriptedServers, clientMetadataUrl?: string): Promise<SdkWaiting> {
  const provider = new MemoryProvider(clientMetadataUrl === undefined ? {} : { clientMetadataUrl });
  const transport = newTransport(servers, provider);
  try {
    await newClient().connect(transport);
  } catch (error) {
    if (error instanceof UnauthorizedError) return { provider, transport };
    throw error;
  }
  throw new Error('the SDK did not ask for its user');
}

/** The whole flow: connect, be refused, finish, connect again. */
export async function sdkTransportFlow(servers: ScriptedServers, clientMetadataUrl?: string): Promise<void> {
  const { provider, transport } = await sdkTransportUntilUser(servers, clientMetadataUrl);
  const callback = new URL(await servers.approve(provider.authorizationUrl ?? ''));
  await transport.finishAuth(callback.searchParams);
  const client = newClient();
  await client.connect(newTransport(servers, provider));
  await client.close();
}

function newTransport(servers: ScriptedServers, authProvider: MemoryProvider): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(servers.resource.url), { authProvider, fetch: servers.fetch });
}

export function newClient(): Client {
  return new Client({ name: 'bench', version: '1.0.0' });
}
