/**
 * What callers are told who may not come in: RFC 6750 section 3 with
 * `resource_metadata` of RFC 9728 section 5.1 (GWY-13). Every text is ours: what a
 * token or a validator says never reaches a header.
 */

export interface BearerChallenge {
  readonly resourceMetadataUrl: string;
  /** All scopes needed, not only the missing ones: clients ask for what is named here. */
  readonly scopes: readonly string[];
}

type ErrorCode = 'invalid_token' | 'insufficient_scope';

/** In quotes, and free of quotes, backslashes and line breaks: URLs are canonical, scopes are scope tokens. */
const parameter = (name: string, value: string): string => `${name}="${value}"`;

function challengeHeader({ resourceMetadataUrl, scopes }: BearerChallenge, error?: ErrorCode, description?: string): string {
  const parameters = [
    ...(error === undefined ? [] : [parameter('error', error)]),
    ...(description === undefined ? [] : [parameter('error_description', description)]),
    ...(scopes.length === 0 ? [] : [parameter('scope', scopes.join(' '))]),
    parameter('resource_metadata', resourceMetadataUrl),
  ];
  return `Bearer ${parameters.join(', ')}`;
}

function answer(
  status: number,
  body: { readonly error: string; readonly error_description: string },
  headers: Record<string, string>,
): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

/** No credentials, or of another kind: RFC 6750 section 3.1 wants no error code here. */
export function credentialsMissing(challenge: BearerChallenge): Response {
  const body = { error: 'unauthorized', error_description: 'This resource needs an access token in the Authorization header.' };
  return answer(401, body, { 'www-authenticate': challengeHeader(challenge) });
}

/** The same for whatever is wrong with the token: what a forger learns from the difference helps nobody else. */
export function tokenInvalid(challenge: BearerChallenge): Response {
  const body = {
    error: 'invalid_token',
    error_description: 'The access token is missing, malformed, expired, or not for this resource.',
  } as const;
  return answer(401, body, { 'www-authenticate': challengeHeader(challenge, body.error, body.error_description) });
}

export function scopeInsufficient(challenge: BearerChallenge): Response {
  const body = { error: 'insufficient_scope', error_description: 'The access token does not have all the scopes this needs.' } as const;
  return answer(403, body, { 'www-authenticate': challengeHeader(challenge, body.error, body.error_description) });
}

/** A web page that may not call the resource; no token would change that. */
export function originRefused(): Response {
  return answer(403, { error: 'forbidden', error_description: 'Web pages of this origin may not use this resource.' }, {});
}

const RETRY_AFTER_SECONDS = 5;
const LONGEST_RETRY_AFTER_SECONDS = 3600;

/** No challenge: the token may be a good one, and its owner should keep it. */
export function validationUnavailable(retryAfterSeconds: number | undefined): Response {
  const wanted = Number.isFinite(retryAfterSeconds) ? Math.ceil(retryAfterSeconds ?? 0) : RETRY_AFTER_SECONDS;
  const seconds = Math.min(Math.max(wanted, 1), LONGEST_RETRY_AFTER_SECONDS);
  const body = { error: 'temporarily_unavailable', error_description: 'Access tokens cannot be checked now. Try again later.' };
  return answer(503, body, { 'retry-after': String(seconds) });
}

/** The backend has no client for this caller: nothing is wrong with the token. */
export function backendUnavailable(): Response {
  return answer(502, { error: 'bad_gateway', error_description: 'The backend cannot be used now.' }, {});
}

export function handlerFailed(): Response {
  return answer(500, { error: 'server_error', error_description: 'The request failed.' }, {});
}

/** The backend is down, or answered with what no caller may get. */
export function backendGone(): Response {
  return answer(502, { error: 'bad_gateway', error_description: 'The backend gave no usable answer.' }, {});
}

export function backendLate(): Response {
  return answer(504, { error: 'gateway_timeout', error_description: 'The backend did not answer in time.' }, {});
}

export function nothingBehind(): Response {
  return answer(404, { error: 'not_found', error_description: 'There is nothing here.' }, {});
}

/** MCP clients begin a new session when they get 404 for one. */
export function sessionUnknown(): Response {
  return answer(404, { error: 'not_found', error_description: 'There is no such session. Begin a new one.' }, {});
}
