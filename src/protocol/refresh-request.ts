/**
 * A refresh token for new tokens: RFC 6749 section 6, `resource` of RFC 8707
 * section 2.2 (RFR-06).
 */
import { refreshTokenGrantRequest } from 'oauth4webapi';
import type { TokenClient } from './client-authentication.ts';
import type { IssuedTokens, ServerMetadata } from './documents.ts';
import type { Http } from './http.ts';
import { requestTokens } from './token-request.ts';

export type { TokenClient } from './client-authentication.ts';

export interface RefreshRequest {
  readonly metadata: ServerMetadata;
  readonly client: TokenClient;
  readonly refreshToken: string;
  readonly resource?: string | undefined;
  /**
   * Only to narrow the grant. Left out, the server keeps the scopes it granted;
   * naming them all again fails where one has been renamed or withdrawn.
   */
  readonly scopes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one refresh. With rotation the old refresh token may be spent even if the
 * answer is lost.
 *
 * @returns the new tokens; without `refreshToken` the old one stays in force.
 * @throws FailureError `refresh_rejected` (the refresh token has ended),
 *   `client_rejected`, `server_unavailable`, `token_request_rejected`,
 *   `token_response_invalid`, those of `Http`.
 */
export function requestRefresh(http: Http, o: RefreshRequest): Promise<IssuedTokens> {
  const additionalParameters = new URLSearchParams();
  if (o.resource !== undefined) additionalParameters.set('resource', o.resource);
  if (o.scopes !== undefined && o.scopes.length > 0) additionalParameters.set('scope', o.scopes.join(' '));
  return requestTokens(http, {
    metadata: o.metadata,
    client: o.client,
    phase: 'refresh',
    signal: o.signal,
    send: (server, client, authentication, options) =>
      refreshTokenGrantRequest(server, client, authentication, o.refreshToken, { ...options, additionalParameters }),
  });
}
