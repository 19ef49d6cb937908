/**
 * Failures as plain, tagged data: what a chart keeps in its context, what a
 * checkpoint stores, what a status shows. They become an `AuthorizationError`
 * only where they leave authchart (see `errors.ts`).
 *
 * A failure never holds a request, a response body or a secret: its texts come
 * from the table in `failure-codes.ts`, its details from a closed list of fields.
 */
import { FAILURE_CODES, type FailureCode } from './failure-codes.ts';

export type { FailureCode } from './failure-codes.ts';

/** The part of the flow in which something failed. */
export type Phase =
  | 'configuration'
  | 'request'
  | 'storage'
  | 'resource-metadata'
  | 'server-metadata'
  | 'issuer-binding'
  | 'registration'
  | 'authorization'
  | 'token'
  | 'refresh'
  | 'step-up'
  | 'sign-out';

/** What the embedder or the user can do next. */
export type NextAction =
  /** The same call may succeed later; nothing was lost. */
  | 'retry'
  /** Start the authorization again: the next request does it by itself. */
  | 'authorize-again'
  /** The client's configuration has to change. */
  | 'reconfigure'
  /** The server breaks a rule; its operator has to fix it. */
  | 'report-to-server'
  /** A client identifier has to be entered. */
  | 'provide-client-identifier'
  /** Nothing to do: the person or the embedder decided so. */
  | 'none';

/** Facts about a failure that are safe to show; every text from a server is sanitised (TOK-04). */
export interface FailureDetails {
  readonly resource?: string;
  readonly issuer?: string;
  readonly expected?: string;
  readonly received?: string;
  /** A URL without query, fragment or user information. */
  readonly url?: string;
  readonly status?: number;
  /** The OAuth `error` code a server sent, sanitised. */
  readonly oauthError?: string;
  /** The server's `error_description`, sanitised and bounded. */
  readonly oauthErrorDescription?: string;
  readonly missingScopes?: readonly string[];
  /** What precisely was wrong, in words of ours. */
  readonly reason?: string;
  /** The server asked to wait this long (`Retry-After`), in seconds. */
  readonly retryAfterSeconds?: number;
  /** The current access token can still be used although the refresh failed. */
  readonly tokenStillUsable?: boolean;
  /** Stale server metadata would explain the failure (ASM-07). */
  readonly metadataMayBeStale?: boolean;
  /** The redirect URI rules of the authorization server refused the registration (REG-07). */
  readonly redirectUriRefused?: boolean;
  /** A newer version of authchart wrote it: upgrading helps, and it is never replaced by a login. */
  readonly isNewer?: boolean;
  /** Everything that was wrong, where several things were looked at together. */
  readonly problems?: readonly string[];
}

export interface Failure {
  /** Which failure it is; codes are stable. */
  readonly code: FailureCode;
  /** In which part of the flow it happened. */
  readonly phase: Phase;
  /** What happened, one sentence. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly advice: string;
  /** The same for programs. */
  readonly action: NextAction;
  /** True if the same step may succeed later without anyone changing anything. */
  readonly retryable: boolean;
  /** Facts, as far as there are any. */
  readonly details: FailureDetails;
}

/** Builds a failure from its code; the table gives the texts, the caller the facts. */
export function failure(code: FailureCode, phase: Phase, details: FailureDetails = {}): Failure {
  const known = FAILURE_CODES[code];
  const because = details.reason === undefined ? '' : ` ${details.reason}`;
  return {
    code,
    phase,
    message: `${known.message}${because}`,
    advice: known.advice,
    action: known.action,
    retryable: known.retryable,
    details,
  };
}

/**
 * Carries a failure through code that throws (`protocol/`, `stores/`). It has no
 * cause on purpose: the errors of HTTP libraries hold the request they failed on.
 */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(code: FailureCode, phase: Phase, details: FailureDetails = {}) {
    const built = failure(code, phase, details);
    super(built.message);
    this.failure = built;
  }
}

/** The failure inside anything thrown; what is not ours becomes `internal_error` without its text. */
export function failureOf(thrown: unknown, phase: Phase): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  return failure('internal_error', phase, { reason: `(${kindOf(thrown)})` });
}

/** What kind of thing was thrown; its text is left out, since it may hold anything (SEC-01). */
export function kindOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
