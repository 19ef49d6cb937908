/**
 * What an unsuccessful token request means for the flow (TOK-03): RFC 6749 section
 * 5.2 for the codes, RFC 6750 section 3 where only the header carries one.
 *
 * What counts is whether a credential has ended. Only the server's word for it
 * ends one (RFR-03); every doubt leaves it in place.
 */
import { type FailureDetails, FailureError, kindOf } from '../failure.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { serverText } from './server-text.ts';
import type { TokenAnswer } from './token-response.ts';

export type TokenPhase = 'token' | 'refresh';

/** Where the answer came from: only status and headers are read. */
export interface TokenErrorContext {
  readonly response: Response;
  readonly issuer: string;
  /** The token endpoint without its query. */
  readonly url: string;
  /** What was sent and is not for errors. */
  readonly secrets: readonly string[];
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
 * The failure for an answer without tokens.
 *
 * A 5xx, 408 or 429 is an outage whatever its body says: gateways and servers
 * that lost their database are known to call every grant invalid then, and a
 * credential thrown away is lost while a retry costs nothing.
 */
export function answerFailure(
  answer: Exclude<TokenAnswer, { outcome: 'issued' }>,
  phase: TokenPhase,
  { response, issuer, url, secrets }: TokenErrorContext,
): FailureError {
  const { status, ok } = response;
  const waitSeconds = retryAfterSeconds(response.headers);
  const details = {
    issuer,
    url,
    status,
    ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
    ...wordsOf(answer, secrets),
  };
  const meaning = answer.outcome === 'error' ? MEANINGS[answer.error] : undefined;
  if (isOutage(status) || meaning === 'unavailable') return new FailureError('server_unavailable', phase, details);
  if (meaning === 'grant-ended') return new FailureError(phase === 'refresh' ? 'refresh_rejected' : 'code_rejected', phase, details);
  if (meaning === 'client-unknown') return new FailureError('client_rejected', phase, details);
  if (answer.outcome === 'error') return new FailureError('token_request_rejected', phase, details);
  return new FailureError(ok ? 'token_response_invalid' : 'token_request_rejected', phase, {
    ...details,
    reason: answer.reason,
    ...(suggestsStaleMetadata(status) && { metadataMayBeStale: true }),
  });
}

function wordsOf(answer: TokenAnswer, secrets: readonly string[]): FailureDetails {
  if (answer.outcome !== 'error') return {};
  const oauthError = serverText(answer.error, 100, secrets);
  const oauthErrorDescription = serverText(answer.description, undefined, secrets);
  return { ...(oauthError !== undefined && { oauthError }), ...(oauthErrorDescription !== undefined && { oauthErrorDescription }) };
}

/**
 * The failure for what was thrown before there was an answer. A redirected token
 * request reached no token endpoint; other failures say all themselves.
 */
export function tokenFailure(error: unknown, phase: TokenPhase): FailureError {
  if (!(error instanceof FailureError)) {
    return new FailureError('internal_error', phase, {
      reason: `The request could not be made (${kindOf(error)}).`,
    });
  }
  const { code, details } = error.failure;
  // Stored metadata may be from before the server was mended.
  if (code === 'url_refused_by_policy') return new FailureError(code, phase, { ...details, metadataMayBeStale: true });
  if (code !== 'redirect_refused') return error;
  return new FailureError('token_request_rejected', phase, { ...details, metadataMayBeStale: true });
}

/** The server says that it cannot now: try again later (RFR-03). */
export function isOutage(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** Nothing of this kind is at the URL: the metadata that named it may be old (ASM-07). */
export function suggestsStaleMetadata(status: number): boolean {
  return (status >= 300 && status < 400) || status === 404 || status === 405 || status === 410;
}
