/** What an application with the official client SDK brings along for a login: memory, and a page to come back to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

export class DemoApplication implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata: OAuthClientMetadata;
  readonly #showPage: (url: URL) => void;
  readonly #state = crypto.randomUUID();
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;

  constructor(redirectUrl: string, showPage: (url: URL) => void) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = { client_name: 'Demo application', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' };
    this.#showPage = showPage;
  }

  state = (): string => this.#state;
  clientInformation = (): StoredOAuthClientInformation | undefined => this.#client;
  saveClientInformation = (client: StoredOAuthClientInformation): void => {
    this.#client = client;
  };
  tokens = (): StoredOAuthTokens | undefined => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens): void => {
    this.#tokens = tokens;
  };
  redirectToAuthorization = (url: URL): void => this.#showPage(url);
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier;
  };
  codeVerifier = (): string => this.#verifier;
  discoveryState = (): OAuthDiscoveryState | undefined => this.#discovery;
  saveDiscoveryState = (state: OAuthDiscoveryState): void => {
    this.#discovery = state;
  };
}

export interface CallbackPage extends AsyncDisposable {
  readonly url: string;
  /** The query the person's browser came back with. */
  readonly visited: Promise<URLSearchParams>;
}

export async function startCallbackPage(): Promise<CallbackPage> {
  const http = createServer();
  const visited = new Promise<URLSearchParams>((resolve) => {
    http.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname !== '/callback') {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end('You can close this page and go back to the terminal.\n');
      resolve(searchParams);
    });
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/callback`,
    visited,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
