/**
 * What the client says about itself when it registers: RFC 7591 section 2, with
 * `application_type` of OpenID Connect Dynamic Client Registration section 2, as
 * MCP asks for it (REG-03; SEP-837, SEP-2207). Pure: no I/O, no clock.
 */
import type { ClientMetadata } from './documents.ts';
import { isLoopbackHost } from './endpoint-url.ts';

/** Fills in what the embedder left out; what was set explicitly stays. */
export function fullClientMetadata(
  partial: Partial<ClientMetadata>,
  o: {
    /** The redirect URIs in use, in place of those of `partial`. */
    readonly redirectUris: readonly string[];
    /** The client wants refresh tokens. */
    readonly offlineAccess: boolean;
    /** The scopes selected, in place of the `scope` of `partial`. */
    readonly scopes?: readonly string[] | undefined;
  },
): ClientMetadata {
  const scope = o.scopes?.join(' ') ?? partial.scope;
  return {
    ...partial,
    redirect_uris: o.redirectUris,
    application_type: partial.application_type ?? applicationType(o.redirectUris),
    grant_types: partial.grant_types ?? ['authorization_code', ...(o.offlineAccess ? ['refresh_token'] : [])],
    response_types: partial.response_types ?? ['code'],
    token_endpoint_auth_method: partial.token_endpoint_auth_method ?? 'none',
    ...(scope !== undefined && scope !== '' && { scope }),
  };
}

/**
 * `native` as soon as one redirect URI leads to this machine (loopback, a scheme
 * of the application's own): no server accepts such a one from a web client,
 * while an https one of a native client can be a claimed URL (RFC 8252 section 7.2).
 */
export function applicationType(redirectUris: readonly string[]): 'native' | 'web' {
  return redirectUris.some(leadsToThisMachine) ? 'native' : 'web';
}

function leadsToThisMachine(redirectUri: string): boolean {
  const url = URL.parse(redirectUri);
  if (url === null) return false;
  return !/^https?:$/.test(url.protocol) || isLoopbackHost(url.hostname);
}
