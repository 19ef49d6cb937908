/** The one error class that leaves authchart. */
import { type Failure, type FailureCode, failureOf, type Phase } from './failure.ts';

/**
 * Thrown by every public function. `code` is stable; `failure` holds the same
 * facts as plain data. `message` is a line for a log: `failure.message` (what
 * happened), `failure.advice` (what to do) and the code in brackets; a user
 * interface shows the first two, each in its place. It never has a `cause` and never holds a request, a
 * response body or a secret (SEC-01).
 */
export class AuthorizationError extends Error {
  override readonly name = 'AuthorizationError';
  readonly code: FailureCode;
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.message} ${failure.advice} [${failure.code}]`);
    this.code = failure.code;
    this.failure = failure;
  }
}

/** Turns anything thrown inside into the public error. */
export function toAuthorizationError(thrown: unknown, phase: Phase): AuthorizationError {
  if (thrown instanceof AuthorizationError) return thrown;
  return new AuthorizationError(failureOf(thrown, phase));
}
