/** The other side of the comparison: the official client SDK with its own OAuth, used as its documentation shows. */
import {
  auth,
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';

export const REDIRECT_URI = 'http://127.0.0.1:4711/callback';

/** Keeps everything in memory, the state of discovery included: the SDK's cheapest way. */
export class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata: OAuthClientMetadata = { client_name: 'bench', redirect_uris: [REDIRECT_URI] };
  readonly clientMetadataUrl?: string;
  authorizationUrl: URL | undefined;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;

  constructor(clientMetadataUrl?: string) {
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl;
  }

  state = (): string => crypto.randomUUID();
  clientInformation = (): StoredOAuthClientInformation | undefined => this.#client;
  saveClientInformation = (client: StoredOAuthClientInformation): void => {
    this.#client = client;
  };
  tokens = (): StoredOAuthTokens | undefined => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens): void => {
    this.#tokens = tokens;
  };
  redirectToAuthorization = (url: URL): void => {
    this.authorizationUrl = url;
  };
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier;
  };
  codeVerifier = (): string => this.#verifier;
  discoveryState = (): OAuthDiscoveryState | undefined => this.#discovery;
  saveDiscoveryState = (state: OAuthDiscoveryState): void => {
    this.#discovery = state;
  };
}

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
  const provider = new MemoryProvider(clientMetadataUrl);
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
