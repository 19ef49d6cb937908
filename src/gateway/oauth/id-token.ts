/**
 * The ID token of the upstream sign-in: is it about the request that was sent (OpenID
 * Connect Core section 3.1.3.7)? It came from the token endpoint itself over TLS,
 * which section 3.1.3.7 lets stand in place of its signature.
 */
import { decodeJwt } from 'jose';
import { FailureError } from '../../failure.ts';

export interface IdTokenCheck {
  /** As it came; `undefined` where none did. */
  readonly idToken: unknown;
  readonly issuer: string;
  readonly clientId: string;
  /** What was sent; `undefined`: none, and one in the token is of another sign-in. */
  readonly nonce: string | undefined;
  readonly nowEpochMs: number;
}

const LEEWAY_SECONDS = 120;
const LONGEST_SUBJECT_CHARACTERS = 255;

/** @returns `sub`. @throws FailureError `token_response_invalid` */
export function subjectOf({ idToken, issuer, clientId, nonce, nowEpochMs }: IdTokenCheck): string {
  const claims = claimsIn(idToken);
  const audiences = [claims['aud']].flat();
  const { sub, exp } = claims;
  if (claims['iss'] !== issuer) throw invalid('It names another issuer.');
  if (!audiences.includes(clientId) || (audiences.length > 1 && claims['azp'] !== clientId)) throw invalid('It is for another client.');
  if (claims['nonce'] !== nonce) throw invalid('Its nonce is not the one that was sent.');
  if (typeof exp !== 'number' || exp + LEEWAY_SECONDS <= nowEpochMs / 1000) throw invalid('It has expired.');
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT_CHARACTERS) throw invalid('It names nobody.');
  return sub;
}

function claimsIn(idToken: unknown): Readonly<Record<string, unknown>> {
  if (idToken === undefined) throw invalid('There is none.');
  try {
    return decodeJwt(idToken as string);
  } catch {
    throw invalid('It is no JWT.');
  }
}

function invalid(reason: string): FailureError {
  return new FailureError('token_response_invalid', 'token', { reason: `The ID token cannot be used. ${reason}` });
}
