/**
 * The URL the user is sent to: RFC 6749 section 4.1.1 with PKCE (RFC 7636 section
 * 4.3) and the resource indicator (RFC 8707 section 2). Pure: no I/O, no clock.
 */
import type { ServerMetadata } from './documents.ts';
import { serverEndpoint } from './server-endpoint.ts';

/**
 * Parameters an embedder may not set (AUT-01): those the flow sends itself and
 * later relies on, and those that would replace them (`request`, `request_uri`)
 * or send the answer elsewhere than into the query of the callback
 * (`response_mode`).
 */
export const RESERVED_PARAMETERS: ReadonlySet<string> = new Set([
  'response_type',
  'response_mode',
  'client_id',
  'redirect_uri',
  'state',
  'scope',
  'resource',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
]);

export interface AuthorizationRequest {
  readonly metadata: ServerMetadata;
  readonly clientId: string;
  /** The exact redirect URI in use; the code exchange sends the same. */
  readonly redirectUri: string;
  readonly state: string;
  readonly codeChallenge: string;
  /** Absent or empty: no `scope` parameter, the server's default applies. */
  readonly scopes?: readonly string[] | undefined;
  /** As `resourceParameter` gave it. */
  readonly resource?: string | undefined;
  readonly prompt?: 'consent' | undefined;
  /** Parameters of the embedder; reserved ones are left out here and refused when the client is created. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/**
 * @throws FailureError `metadata_incomplete` without an authorization endpoint,
 *   `endpoint_refused` for one that is neither https nor http on loopback (ASM-04).
 */
export function authorizationUrl(o: AuthorizationRequest): string {
  const endpoint = authorizationEndpoint(o.metadata);
  const parameters = new URLSearchParams(Object.entries(o.extra ?? {}).filter(([name]) => !RESERVED_PARAMETERS.has(name)));
  parameters.set('response_type', 'code');
  parameters.set('client_id', o.clientId);
  parameters.set('redirect_uri', o.redirectUri);
  parameters.set('state', o.state);
  parameters.set('code_challenge', o.codeChallenge);
  parameters.set('code_challenge_method', 'S256');
  if (o.scopes !== undefined && o.scopes.length > 0) parameters.set('scope', o.scopes.join(' '));
  if (o.resource !== undefined) parameters.set('resource', o.resource);
  if (o.prompt !== undefined) parameters.set('prompt', promptWith(parameters.get('prompt'), o.prompt));
  endpoint.search = [...keptQuery(endpoint, parameters), parameters.toString()].join('&');
  return endpoint.href;
}

function authorizationEndpoint(metadata: ServerMetadata): URL {
  const endpoint = new URL(serverEndpoint(metadata, 'authorization_endpoint', 'authorization'));
  // RFC 6749 section 3.1: an endpoint has no fragment; one would swallow the parameters.
  endpoint.hash = '';
  return endpoint;
}

/**
 * The endpoint's own query, character for character (AUT-03; Azure AD B2C keeps
 * its policy there), without the parameters of ours: none may be sent twice (RFC
 * 6749 section 3.1).
 */
function keptQuery(endpoint: URL, ours: URLSearchParams): readonly string[] {
  return endpoint.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && ![...new URLSearchParams(part).keys()].some((name) => ours.has(name)));
}

/** `prompt` is a list (OpenID Connect Core section 3.1.2.1); `none` stands alone, and an embedder who asks for it means it. */
function promptWith(wanted: string | null, added: string): string {
  const prompts = new Set(wanted?.split(' ').filter((prompt) => prompt !== ''));
  return prompts.has('none') ? 'none' : [...prompts.add(added)].join(' ');
}
