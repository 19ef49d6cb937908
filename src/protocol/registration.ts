/**
 * Dynamic client registration: RFC 7591 section 3.1, as MCP uses it (REG-03,
 * REG-04, REG-07). What the server answers is read in registration-response.ts.
 *
 * Left out: software statements and initial access tokens.
 */
import { type Failure, FailureError } from '../failure.ts';
import { chooseAuthMethod } from './client-authentication.ts';
import type { ClientMetadata, ServerMetadata, TokenEndpointAuthMethod } from './documents.ts';
import type { Http } from './http.ts';
import { type RegisteredClient, readRegistration } from './registration-response.ts';
import { serverEndpoint } from './server-endpoint.ts';

export type { RegisteredClient } from './registration-response.ts';

export interface RegistrationRequest {
  readonly metadata: ServerMetadata;
  /** Complete, as `fullClientMetadata` makes it. */
  readonly clientMetadata: ClientMetadata;
  /** Ways to authenticate that this client can do. Default: all that need no key of its own. */
  readonly supportedMethods?: readonly TokenEndpointAuthMethod[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KEYLESS_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

/**
 * Registers the client. One POST, never repeated here.
 *
 * @throws FailureError `registration_rejected` with the server's error,
 *   `registration_unusable`, `server_unavailable` (5xx, 408, 429), those of `Http`,
 *   `metadata_incomplete`, `endpoint_refused`.
 */
export async function registerClient(http: Http, o: RegistrationRequest): Promise<RegisteredClient> {
  const url = serverEndpoint(o.metadata, 'registration_endpoint', 'registration');
  const methods = o.supportedMethods ?? KEYLESS_METHODS;
  const requested = { ...o.clientMetadata, token_endpoint_auth_method: methodToRequest(o, methods) };
  const response = await post(http, url, requested, o.signal);
  return readRegistration(response, { metadata: o.metadata, url, requested, methods });
}

/** The client's own wish; where the server does not support it, the strongest that both sides do (TOK-01). */
function methodToRequest(o: RegistrationRequest, methods: readonly TokenEndpointAuthMethod[]): TokenEndpointAuthMethod {
  const wish = o.clientMetadata.token_endpoint_auth_method ?? 'none';
  const supported = o.metadata.token_endpoint_auth_methods_supported ?? [];
  if (supported.length === 0 || supported.includes(wish)) return wish;
  const both = methods.filter((method) => supported.includes(method));
  if (both.length === 0) return wish;
  // A secret is what registration hands out: every method that needs one counts as possible.
  return chooseAuthMethod({ hasSecret: true, hasPrivateKey: true, supported: both });
}

async function post(http: Http, url: string, body: ClientMetadata, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await http(url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      phase: 'registration',
      purpose: 'registration',
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, details } = error.failure;
    if (code !== 'redirect_refused' && code !== 'url_refused_by_policy') throw error;
    throw new FailureError(code, 'registration', { ...details, metadataMayBeStale: true });
  }
}

/**
 * Whether a registration failed because of the redirect URIs, so that the other
 * `application_type` may help (REG-07). OpenID Connect registration has a code for
 * it; servers without OpenID Connect only say so in their text.
 */
export function isRedirectUriRejection(failure: Failure): boolean {
  if (failure.code !== 'registration_rejected') return false;
  const { oauthError, oauthErrorDescription = '' } = failure.details;
  if (oauthError === 'invalid_redirect_uri') return true;
  return (
    (oauthError === 'invalid_client_metadata' || oauthError === 'invalid_request') &&
    /redirect|application[_ ]type|loopback|localhost/i.test(oauthErrorDescription)
  );
}
