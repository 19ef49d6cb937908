/**
 * The authorization response, as it came to the redirect URI: RFC 6749 sections
 * 4.1.2 and 4.1.2.1, the issuer check of RFC 9207 section 2.4 as the MCP page
 * "Authorization Response Validation" tabulates it. Pure: no I/O, no clock.
 *
 * Left out: JARM, implicit and hybrid responses; nothing here asks for them, so
 * that they can only be injected.
 */
import { validateAuthResponse } from 'oauth4webapi';
import { FailureError } from '../failure.ts';
import { constantTimeEqual } from './constant-time-equal.ts';
import type { ServerMetadata } from './documents.ts';
import { serverText } from './server-text.ts';

/** A callback before anything of it is believed. */
export interface Callback {
  /** Says which attempt the callback claims to belong to. */
  readonly state?: string;
  readonly parameters: URLSearchParams;
}

export interface AuthorizationResponseCheck {
  readonly callbackUrl: string;
  /** As recorded before the user left: its `issuer` is the expected one (ISS-08). */
  readonly metadata: ServerMetadata;
  readonly clientId: string;
  readonly expectedState: string;
  /** The embedder wants `iss` although the server does not promise it. */
  readonly requireIssuer?: boolean | undefined;
}

const SINGLE_PARAMETERS = ['state', 'iss', 'code', 'error', 'error_description', 'error_uri'] as const;
/** Responses that were not asked for: JARM, implicit, hybrid. */
const FOREIGN_PARAMETERS = ['response', 'access_token', 'id_token', 'token'] as const;

/**
 * Reads a callback URL without judging it; enough to find the attempt by `state`.
 *
 * @throws FailureError `callback_invalid` if it is no URL, or a parameter that
 *   decides something is there twice: two readers could take it for two things.
 */
export function readCallback(url: string): Callback {
  const parameters = URL.parse(url)?.searchParams;
  if (parameters === undefined) throw invalid('It is not a URL.');
  for (const name of SINGLE_PARAMETERS) {
    if (parameters.getAll(name).length > 1) throw invalid(`It has the parameter ${name} more than once.`);
  }
  for (const name of FOREIGN_PARAMETERS) {
    if (parameters.has(name)) throw invalid(`It has the parameter ${name}, which was not asked for.`);
  }
  const state = parameters.get('state');
  return state === null ? { parameters } : { parameters, state };
}

/**
 * Checks an authorization response, errors included, in the order in which its
 * parts may be believed: its form, its `state` (AUT-05), its issuer (ISS-08), and
 * only then what it says (AUT-06).
 *
 * @returns the parameters in the one object that oauth4webapi accepts for the
 *   code exchange; it cannot be stored, so the exchange checks the callback again.
 * @throws FailureError `callback_invalid`, `callback_issuer_mismatch`,
 *   `callback_issuer_missing`, `authorization_denied` (the user refused),
 *   `authorization_rejected` (any other error of the server's).
 */
export function checkAuthorizationResponse(o: AuthorizationResponseCheck): { readonly validated: URLSearchParams } {
  const { parameters, state } = readCallback(o.callbackUrl);
  if (state === undefined || !constantTimeEqual(state, o.expectedState)) {
    throw invalid('Its state is not the one that was sent.');
  }
  checkIssuer(parameters.get('iss'), o);
  const error = parameters.get('error');
  if (error !== null && error !== '') throw refusal(error, parameters, o.metadata.issuer);
  if (!parameters.get('code')) throw invalid('It holds neither a code nor an error.');
  return { validated: passThrough(parameters, o) };
}

/**
 * The four rows of the MCP table. Plain string comparison: a scheme in other
 * case, a default port or a trailing slash is another issuer (RFC 3986 section
 * 6.2.1). An `iss` without a value is present and differs.
 */
function checkIssuer(iss: string | null, { metadata, requireIssuer }: AuthorizationResponseCheck): void {
  const expected = metadata.issuer;
  if (iss === null) {
    if (metadata.authorization_response_iss_parameter_supported !== true && requireIssuer !== true) return;
    throw new FailureError('callback_issuer_missing', 'authorization', { issuer: expected, expected });
  }
  if (iss !== expected) {
    throw new FailureError('callback_issuer_mismatch', 'authorization', {
      issuer: expected,
      expected,
      received: serverText(iss) ?? '',
    });
  }
}

function refusal(error: string, parameters: URLSearchParams, issuer: string): FailureError {
  const oauthError = serverText(error, 100);
  const oauthErrorDescription = serverText(parameters.get('error_description'));
  return new FailureError(error === 'access_denied' ? 'authorization_denied' : 'authorization_rejected', 'authorization', {
    issuer,
    ...(oauthError !== undefined && { oauthError }),
    ...(oauthErrorDescription !== undefined && { oauthErrorDescription }),
  });
}

/** A second opinion, and the brand without which oauth4webapi sends no code. */
function passThrough(parameters: URLSearchParams, o: AuthorizationResponseCheck): URLSearchParams {
  try {
    return validateAuthResponse({ issuer: o.metadata.issuer }, { client_id: o.clientId }, parameters, o.expectedState);
  } catch {
    // Its errors hold the parameters, and with them the code (SEC-01).
    throw invalid('It does not follow RFC 6749 section 4.1.2.');
  }
}

function invalid(reason: string): FailureError {
  return new FailureError('callback_invalid', 'authorization', { reason });
}
