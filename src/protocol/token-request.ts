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
  const options: TokenEndpointRequestOptions = {
    // It does not limit plain http to loopback; serverEndpoint() has done so.
    [allowInsecureRequests]: true,
    [customFetch]: (url, { headers, body }) =>
      http(url, {
        method: 'POST',
        headers,
        body: body as URLSearchParams,
        phase: o.phase,
        purpose: 'token',
        ...(o.signal !== undefined && { signal: o.signal }),
      }),
  };
  try {
    const response = await o.send(server, client, clientAuthentication(o.client, endpoint), options);
    const answer = await readTokenResponse(response);
    if (answer.outcome === 'issued') return answer.tokens;
    throw answerFailure(answer, o.phase, { response, issuer, url: withoutQuery(endpoint) });
  } catch (error) {
    throw tokenFailure(error, o.phase);
  }
}
