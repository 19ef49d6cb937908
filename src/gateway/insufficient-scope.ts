/** What handlers throw when an operation needs more than the token allows (RFC 6750 section 3.1). */

// Not instanceof: the command and the library are bundles of their own.
const INSUFFICIENT = Symbol.for('authchart.gateway.insufficient-scope');

/** The token lacks scopes: 403 `insufficient_scope`, naming these and all that every request needs. */
export class InsufficientScope extends Error {
  override readonly name = 'InsufficientScope';
  readonly [INSUFFICIENT] = true;
  /** All scopes the operation needs, those the token has included. */
  readonly scopes: readonly string[];

  constructor(scopes: readonly string[]) {
    super('The operation needs scopes that the access token does not have.');
    this.scopes = scopes;
  }
}

export function isInsufficientScope(thrown: unknown): thrown is InsufficientScope {
  return thrown instanceof Error && INSUFFICIENT in thrown;
}
