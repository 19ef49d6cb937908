/**
 * The authorization code for tokens: RFC 6749 section 4.1.3, the verifier of RFC
 * 7636 section 4.5, `resource` of RFC 8707 section 2.2 (AUT-02, AUT-09).
 */
import { authorizationCodeGrantRequest } from 'oauth4webapi';
import type { TokenClient } from './client-authentication.ts';
import type { IssuedTokens, ServerMetadata } from './documents.ts';
import type { Http } from './http.ts';
import { requestTokens } from './token-request.ts';

export type { TokenClient } from './client-authentication.ts';

export interface CodeExchange {
  /** Of the issuer that was recorded before the user left. */
  readonly metadata: ServerMetadata;
  readonly client: TokenClient;
  /** The very object that `checkAuthorizationResponse` returned. */
  readonly validated: URLSearchParams;
  /** The same as in the authorization request. */
  readonly redirectUri: string;
  readonly verifier: string;
  readonly resource?: string | undefined;
  /** Further parameters; those of the grant itself win over them. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends the code, once. Whoever calls this must not call it again with the same
 * code, whatever the outcome.
 *
 * @throws FailureError `code_rejected`, `client_rejected`, `server_unavailable`,
 *   `token_request_rejected`, `token_response_invalid`, those of `Http`.
 */
export function exchangeCode(http: Http, o: CodeExchange): Promise<IssuedTokens> {
  const additionalParameters = new URLSearchParams(o.extra);
  if (o.resource !== undefined) additionalParameters.set('resource', o.resource);
  return requestTokens(http, {
    metadata: o.metadata,
    client: o.client,
    phase: 'token',
    signal: o.signal,
    send: (server, client, authentication, options) =>
      authorizationCodeGrantRequest(server, client, authentication, o.validated, o.redirectUri, o.verifier, {
        ...options,
        additionalParameters,
      }),
  });
}
