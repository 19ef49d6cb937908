/**
 * What decides whether a bearer token may use the protected resource (GWY-09).
 * Everything behind `protect` that knows tokens is one of these; embedders write
 * their own, and `TOKEN_VALIDATOR_FACTORY` names one.
 */

/** What is known about a token that may be used. Holds the token: never logged, never stored. */
export interface ValidatedToken {
  /** As the caller sent it. */
  readonly token: string;
  /** Who it was issued for: `sub`. */
  readonly subject?: string;
  /** Which client it was issued to. */
  readonly clientId?: string;
  /** What it allows; empty if it names nothing. */
  readonly scopes: readonly string[];
  /** It is of no use from this instant on. */
  readonly expiresAtEpochSeconds?: number;
  /** Every claim, for decisions of the embedder's own. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The token the backend gets. Never logged, never stored. */
export interface BackendToken {
  /** What the backend is sent. */
  readonly token: string;
  /** It is of no use from this instant on. */
  readonly expiresAtEpochSeconds?: number;
}

export interface ValidationContext {
  /** The canonical resource identifier (RFC 8707 section 2) the token has to be for. */
  readonly resource: string;
  /** Aborts when the caller went away or the validation took too long: nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
}

/**
 * Must be safe to call any number of times at once.
 *
 * What a method throws becomes the answer:
 *
 * | thrown by | `TokenRejected` | `ValidatorUnavailable` | anything else |
 * |---|---|---|---|
 * | `validate` | 401 `invalid_token` | 503 with `Retry-After` | 401 `invalid_token` |
 * | `exchange` | 401 `invalid_token` | 503 with `Retry-After` | 503 with `Retry-After` |
 *
 * Anything else out of `validate` is a refusal because libraries throw errors of
 * their own for tokens that are not valid, and whatever is wrong with a token must
 * give the same answer. Out of `exchange` it is an outage, since the token was
 * found valid: a 401 would send its user to log in again, in vain. In neither case
 * does the request go on, and only the kind of what was thrown is logged, since
 * its text may quote the token.
 */
export interface TokenValidator {
  /** Finds out what the token allows. Its audience, too, is for the validator to check: nothing else looks at it. */
  validate(token: string, context: ValidationContext): Promise<ValidatedToken>;
  /** Gets the token that the backend needs for a validated one. Left out: the backend gets the caller's own token. */
  exchange?(validated: ValidatedToken, context: ValidationContext): Promise<BackendToken>;
}

// Marks that outlive bundling: the command and the library are bundles of their own, and so each has
// a class of its own; the validators that the command loads throw the library's.
const REJECTED = Symbol.for('authchart.gateway.token-rejected');
const UNAVAILABLE = Symbol.for('authchart.gateway.validator-unavailable');

/** The token may not be used: 401 `invalid_token`. */
export class TokenRejected extends Error {
  override readonly name = 'TokenRejected';
  readonly [REJECTED] = true;

  /** @param reason for the log, one sentence. Not shown to the caller; must not quote the token. */
  constructor(reason = 'The access token is not valid.') {
    super(reason);
  }
}

export interface Unavailability {
  /** What to tell the caller in `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** Whether the token may be used cannot be found out now: 503, and the caller keeps its token. */
export class ValidatorUnavailable extends Error {
  override readonly name = 'ValidatorUnavailable';
  readonly [UNAVAILABLE] = true;
  readonly retryAfterSeconds: number | undefined;

  /** @param reason for the log, one sentence. Not shown to the caller; must not quote the token. */
  constructor(reason = 'The access token cannot be validated now.', { retryAfterSeconds }: Unavailability = {}) {
    super(reason);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** False for what validators return that want to say no, or were not written with care: half of it says nothing. */
export function isValidated(validated: unknown): validated is ValidatedToken {
  if (typeof validated !== 'object' || validated === null) return false;
  const { scopes, claims } = validated as { readonly scopes?: unknown; readonly claims?: unknown };
  return Array.isArray(scopes) && typeof claims === 'object' && claims !== null;
}

/** True for a `TokenRejected` of any copy of authchart in this process. */
export function isTokenRejected(thrown: unknown): thrown is TokenRejected {
  return thrown instanceof Error && REJECTED in thrown;
}

/** True for a `ValidatorUnavailable` of any copy of authchart in this process. */
export function isValidatorUnavailable(thrown: unknown): thrown is ValidatorUnavailable {
  return thrown instanceof Error && UNAVAILABLE in thrown;
}
