/**
 * What the exchange of a code and a refresh have in common: the endpoint is
 * checked, the request goes through `Http`, the answer is normalised, read by
 * oauth4webapi and classified (RFC 6749 sections 5.1 and 5.2).
 */
import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  customFetch,
  processGenericTokenEndpointResponse,
  type TokenEndpointRequestOptions,
} from 'oauth4webapi';
import { FailureError } from '../failure.ts';
import { clientAuthentication, type TokenClient } from './client-authentication.ts';
import type { IssuedTokens, ServerMetadata } from './documents.ts';
import { isSafeEndpoint, withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { parseScope } from './scopes.ts';
import { type TokenPhase, tokenFailure } from './token-errors.ts';
import { normaliseTokenResponse } from './token-response.ts';

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

/** Sends one request, never repeated here. @throws FailureError as `tokenFailure` classifies. */
export async function requestTokens(http: Http, o: TokenRequest): Promise<IssuedTokens> {
  const { issuer } = o.metadata;
  const endpoint = tokenEndpoint(o.metadata, o.phase);
  const server: AuthorizationServer = { issuer, token_endpoint: endpoint };
  const client: Client = { client_id: o.client.clientId };
  let response: Response | undefined;
  const options: TokenEndpointRequestOptions = {
    // It does not limit plain http to loopback; tokenEndpoint() has done so.
    [allowInsecureRequests]: true,
    [customFetch]: async (url, { headers, body }) => {
      response = await http(url, {
        method: 'POST',
        headers,
        body: body as URLSearchParams,
        phase: o.phase,
        purpose: 'token',
        ...(o.signal !== undefined && { signal: o.signal }),
      });
      return response;
    },
  };
  try {
    const answer = await o.send(server, client, clientAuthentication(o.client, endpoint), options);
    const read = await processGenericTokenEndpointResponse(server, client, await normaliseTokenResponse(answer));
    return issuedTokens(read, { issuer, url: withoutQuery(endpoint), phase: o.phase });
  } catch (error) {
    throw tokenFailure(error, o.phase, { response, issuer, url: withoutQuery(endpoint) });
  }
}

function tokenEndpoint({ token_endpoint: url, issuer }: ServerMetadata, phase: TokenPhase): string {
  if (url === undefined) throw new FailureError('metadata_incomplete', phase, { issuer, reason: 'It names no token_endpoint.' });
  if (!isSafeEndpoint(url)) throw new FailureError('endpoint_refused', phase, { issuer, url: withoutQuery(url) });
  return url;
}

interface ReadTokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string | undefined;
  readonly scope?: string | undefined;
  readonly expires_in?: number | undefined;
}

function issuedTokens(read: ReadTokens, o: { issuer: string; url: string; phase: TokenPhase }): IssuedTokens {
  const invalid = (reason: string): FailureError =>
    new FailureError('token_response_invalid', o.phase, { issuer: o.issuer, url: o.url, reason });
  // Anything else cannot stand in a header: every request would fail with an error that quotes the token.
  if (!/^[\x21-\x7e]+$/.test(read.access_token)) throw invalid('Its access_token holds characters that no header can carry.');
  // No proof was sent (DPoP comes later), so the resource would refuse this token.
  if (read.token_type === 'dpop') throw invalid('Its access token is bound to a key (DPoP), though no key was shown.');
  return {
    accessToken: read.access_token,
    tokenType: 'Bearer',
    ...(read.refresh_token !== undefined && { refreshToken: read.refresh_token }),
    ...(read.scope !== undefined && { scopes: parseScope(read.scope) }),
    ...(read.expires_in !== undefined && { expiresInSeconds: read.expires_in }),
  };
}
