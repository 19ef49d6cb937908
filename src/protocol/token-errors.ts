/**
 * What an unsuccessful token request means for the flow (TOK-03): RFC 6749 section
 * 5.2 for the codes, RFC 6750 section 3 where only the header carries one.
 *
 * What counts is whether a credential has ended. Only the server's word for it
 * ends one (RFR-03); every doubt leaves it in place.
 */
import { type FailureCode, type FailureDetails, FailureError } from '../failure.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { serverText } from './server-text.ts';

export type TokenPhase = 'token' | 'refresh';

/** What was answered and by whom; absent where nothing was. */
export interface TokenErrorContext {
  /** As it came from the network: only status and headers are read. */
  readonly response?: Response | undefined;
  readonly issuer?: string | undefined;
  /** The token endpoint without its query. */
  readonly url?: string | undefined;
}

type Meaning = 'grant-ended' | 'client-unknown' | 'unavailable';

const MEANINGS: Readonly<Record<string, Meaning>> = {
  invalid_grant: 'grant-ended',
  // OpenID Connect Core section 3.1.2.6, sent by Microsoft Entra ID to refreshes
  // that will never succeed again without the user (conditional access).
  interaction_required: 'grant-ended',
  login_required: 'grant-ended',
  consent_required: 'grant-ended',
  // GitHub's and Slack's own words for it.
  bad_verification_code: 'grant-ended',
  bad_refresh_token: 'grant-ended',
  invalid_code: 'grant-ended',
  code_already_used: 'grant-ended',
  invalid_refresh_token: 'grant-ended',

  invalid_client: 'client-unknown',
  unauthorized_client: 'client-unknown',
  // GitHub's and Slack's own words for it.
  incorrect_client_credentials: 'client-unknown',
  invalid_client_id: 'client-unknown',
  bad_client_secret: 'client-unknown',

  temporarily_unavailable: 'unavailable',
  server_error: 'unavailable',
  slow_down: 'unavailable',
  // Slack answers with 200 even when it is down.
  service_unavailable: 'unavailable',
  internal_error: 'unavailable',
  fatal_error: 'unavailable',
  request_timeout: 'unavailable',
  ratelimited: 'unavailable',
};

/**
 * The failure for anything that sending or reading a token request threw.
 *
 * A 5xx, 408 or 429 is an outage whatever its body says: gateways and servers
 * that lost their database are known to call every grant invalid then, and a
 * credential thrown away is lost while a retry costs nothing.
 */
export function tokenFailure(error: unknown, phase: TokenPhase, context: TokenErrorContext = {}): FailureError {
  if (error instanceof FailureError) return passedOn(error, phase);
  const { response } = context;
  if (response === undefined) {
    return new FailureError('internal_error', phase, { reason: `The request could not be made (${nameOf(error)}).` });
  }
  const said = oauthErrorIn(error);
  const details = detailsOf(context, said, response);
  const meaning = said === undefined ? undefined : MEANINGS[said.error];
  if (isOutage(response.status) || meaning === 'unavailable') return new FailureError('server_unavailable', phase, details);
  if (meaning === 'grant-ended') return new FailureError(phase === 'refresh' ? 'refresh_rejected' : 'code_rejected', phase, details);
  if (meaning === 'client-unknown') return new FailureError('client_rejected', phase, details);
  const rejected: FailureCode = said === undefined && response.ok ? 'token_response_invalid' : 'token_request_rejected';
  return new FailureError(rejected, phase, {
    ...details,
    ...(said === undefined && suggestsStaleMetadata(response.status) && { metadataMayBeStale: true }),
    ...(said === undefined && { reason: reasonOf(response, error) }),
  });
}

/** The server says that it cannot now: try again later (RFR-03). */
export function isOutage(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** Nothing of this kind is at the URL: the metadata that named it may be old (ASM-07). */
export function suggestsStaleMetadata(status: number): boolean {
  return (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;
}

/** A redirected token request reached no token endpoint; other failures of `Http` say all themselves. */
function passedOn(error: FailureError, phase: TokenPhase): FailureError {
  if (error.failure.code !== 'redirect_refused') return error;
  return new FailureError('token_request_rejected', phase, { ...error.failure.details, metadataMayBeStale: true });
}

interface OAuthErrorFacts {
  readonly error: string;
  readonly description?: unknown;
}

/** From the body (`ResponseBodyError` of oauth4webapi) or from a challenge (`WWWAuthenticateChallengeError`). */
function oauthErrorIn(error: unknown): OAuthErrorFacts | undefined {
  if (!(error instanceof Error)) return undefined;
  const { error: code, error_description: description, cause } = error as Error & { error?: unknown; error_description?: unknown };
  if (typeof code === 'string') return { error: code, description };
  if (!Array.isArray(cause)) return undefined;
  for (const challenge of cause as { parameters?: Record<string, string> }[]) {
    const parameters = challenge.parameters ?? {};
    if (parameters.error !== undefined) return { error: parameters.error, description: parameters.error_description };
  }
  return undefined;
}

function detailsOf(context: TokenErrorContext, said: OAuthErrorFacts | undefined, response: Response): FailureDetails {
  const oauthError = serverText(said?.error, 100);
  const oauthErrorDescription = serverText(said?.description);
  const waitSeconds = retryAfterSeconds(response.headers);
  return {
    status: response.status,
    ...(context.issuer !== undefined && { issuer: context.issuer }),
    ...(context.url !== undefined && { url: context.url }),
    ...(oauthError !== undefined && { oauthError }),
    ...(oauthErrorDescription !== undefined && { oauthErrorDescription }),
    ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
  };
}

/** oauth4webapi names the member in a text of its own that holds nothing of the response. */
function reasonOf(response: Response, error: unknown): string {
  if (!response.ok) return `Its status is ${response.status} and its body holds no OAuth error.`;
  if (nameOf(error) === 'UnsupportedOperationError') return 'Its token_type is unknown.';
  const member = error instanceof Error ? /"([a-z_]+)" property/.exec(error.message)?.[1] : undefined;
  return member === undefined ? 'Its body is not a JSON object.' : `Its ${member} is missing, empty or of the wrong kind.`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
