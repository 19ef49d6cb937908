/**
 * What the exchange of a code and a refresh have in common: the endpoint is
 * checked, the request is made by oauth4webapi and goes through `Http`, the answer
 * is read and classified (RFC 6749 sections 5.1 and 5.2).
 */
import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  customFetch,
  type TokenEndpointRequestOptions,
} from 'oauth4webapi';
import { clientAuthentication, type TokenClient } from './client-authentication.ts';
import type { IssuedTokens, ServerMetadata } from './documents.ts';
import { withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { serverEndpoint } from './server-endpoint.ts';
import { answerFailure, type TokenPhase, tokenFailure } from './token-errors.ts';
import { readTokenResponse } from './token-response.ts';

export interface TokenRequest {
  readonly metadata: ServerMetadata;
  readonly client: TokenClient;
  readonly phase: TokenPhase;
  readonly signal?: AbortSignal | undefined;
  /** The grant request of oauth4webapi. */
  readonly send: (
    server: AuthorizationServer,
    client: Client,
    authentication: ClientAuth,
    options: TokenEndpointRequestOptions,
  ) => Promise<Response>;
}

/** Sends one request, never repeated here. @throws FailureError as token-errors.ts classifies. */
export async function requestTokens(http: Http, o: TokenRequest): Promise<IssuedTokens> {
  const { issuer } = o.metadata;
  const endpoint = serverEndpoint(o.metadata, 'token_endpoint', o.phase);
  const server: AuthorizationServer = { issuer, token_endpoint: endpoint };
  const client: Client = { client_id: o.client.clientId };
  let secrets: readonly string[] = [];
  const options: TokenEndpointRequestOptions = {
    // It does not limit plain http to loopback; serverEndpoint() has done so.
    [allowInsecureRequests]: true,
    [customFetch]: (url, { headers, body }) => {
      // A server that knows the secret of a Basic header may quote it as it is.
      secrets = [...secretsIn(new Headers(headers), body as URLSearchParams), o.client.clientSecret ?? ''];
      return http(url, {
        method: 'POST',
        headers,
        body: body as URLSearchParams,
        phase: o.phase,
        purpose: 'token',
        ...(o.signal !== undefined && { signal: o.signal }),
      });
    },
  };
  try {
    const response = await o.send(server, client, clientAuthentication(o.client, endpoint), options);
    const answer = await readTokenResponse(response);
    if (answer.outcome === 'issued') return answer.tokens;
    throw answerFailure(answer, o.phase, { response, issuer, url: withoutQuery(endpoint), secrets });
  } catch (error) {
    throw tokenFailure(error, o.phase);
  }
}

/** Parameters and headers that say nothing secret; all others do, those an embedder's own function adds, too. */
const PUBLIC_PARAMETERS = new Set(['grant_type', 'client_id', 'redirect_uri', 'resource', 'scope', 'client_assertion_type']);
const PUBLIC_HEADERS = new Set(['accept', 'content-type', 'user-agent']);

/** What a server might repeat in its error: some quote the code or the token they do not know. */
function secretsIn(headers: Headers, body: URLSearchParams): readonly string[] {
  const parameters = [...body].filter(([name]) => !PUBLIC_PARAMETERS.has(name)).map(([, value]) => value);
  const sent = [...headers].filter(([name]) => !PUBLIC_HEADERS.has(name)).flatMap(([, value]) => [value, value.replace(/^\w+ /, '')]);
  return [...parameters, ...sent];
}
