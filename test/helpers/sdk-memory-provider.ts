/** What an application with the official client SDK brings along for its login. */
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** Where no listener of its own is wanted. */
export const SDK_REDIRECT_URI = 'http://127.0.0.1:4711/callback';

export interface MemoryProviderOptions {
  readonly redirectUrl?: string;
  readonly clientMetadata?: Omit<OAuthClientMetadata, 'redirect_uris'>;
  readonly clientMetadataUrl?: string;
  readonly showPage?: (url: URL) => void;
}

/** Keeps everything in memory, the state of discovery included: the SDK's cheapest way. */
export class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata: OAuthClientMetadata;
  readonly clientMetadataUrl?: string;
  authorizationUrl: URL | undefined;
  readonly #showPage: ((url: URL) => void) | undefined;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;

  constructor({ redirectUrl, clientMetadata, clientMetadataUrl, showPage }: MemoryProviderOptions = {}) {
    this.redirectUrl = redirectUrl ?? SDK_REDIRECT_URI;
    this.clientMetadata = { client_name: 'Example application', ...clientMetadata, redirect_uris: [this.redirectUrl] };
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl;
    this.#showPage = showPage;
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
    this.#showPage?.(url);
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
