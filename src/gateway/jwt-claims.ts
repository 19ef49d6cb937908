/**
 * What a JWT access token claims about itself: RFC 9068, RFC 8725, and what issuers
 * that came before them write. Looked at before the signature, so that a token that
 * cannot be good costs neither a key nor a request (GWY-10). Pure.
 */
import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { parseScope } from '../protocol/scopes.ts';
import { TokenRejected, type ValidatedToken } from './token-validator.ts';

export interface ExpectedClaims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** Lower-case, without `application/`; `undefined` where a token need not say. */
  readonly types: readonly (string | undefined)[];
  readonly leewaySeconds: number;
  readonly nowEpochSeconds: number;
}

export interface UnverifiedToken {
  readonly header: JWTHeaderParameters;
  readonly claims: JWTPayload;
}

/**
 * What the token says, for whoever verifies its signature next: nothing here is proven.
 *
 * @throws TokenRejected if the token could not be good whatever its signature
 */
export function readUnverified(token: string, expected: ExpectedClaims): UnverifiedToken {
  let header: JWTHeaderParameters;
  let claims: JWTPayload;
  try {
    header = decodeProtectedHeader(token) as JWTHeaderParameters;
    claims = decodeJwt(token);
  } catch {
    throw new TokenRejected('It is no JWT.');
  }
  checkHeader(header, expected);
  checkClaims(claims, expected);
  return { header, claims };
}

function checkHeader({ alg, typ, crit }: JWTHeaderParameters, { algorithms, types }: ExpectedClaims): void {
  // `none` and the HMAC algorithms are never in the list: with HS256 the public key would be the secret.
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new TokenRejected('Its algorithm is not accepted.');
  // No extension is understood here (RFC 7515 section 4.1.11), those that change what is signed least of all.
  if (crit !== undefined) throw new TokenRejected('It needs an extension to be understood.');
  if (typ !== undefined && typeof typ !== 'string') throw new TokenRejected('Its type is not a string.');
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (!types.includes(type)) throw new TokenRejected('It is a token of another type.');
}

/** RFC 9068 section 4, and what tells an ID token apart where `typ` does not. */
function checkClaims(claims: JWTPayload, { issuer, audiences, leewaySeconds, nowEpochSeconds }: ExpectedClaims): void {
  if (claims.iss !== issuer) throw new TokenRejected('It is from another issuer.');
  const named: unknown = claims.aud;
  const audience: readonly unknown[] = Array.isArray(named) ? named : [named];
  if (!audience.some((one) => typeof one === 'string' && audiences.includes(one))) throw new TokenRejected('It is for another audience.');
  if (!isInstant(claims.exp)) throw new TokenRejected('It does not say when it expires.');
  if (claims.exp + leewaySeconds <= nowEpochSeconds) throw new TokenRejected('It has expired.');
  checkStart(claims.nbf, { leewaySeconds, nowEpochSeconds });
  // OpenID Connect Core section 3.1.3.6 and 3.3.2.11: only ID tokens bind an access token or a code.
  if (claims['at_hash'] !== undefined || claims['c_hash'] !== undefined) throw new TokenRejected('It is an ID token.');
  // RFC 9449, RFC 8705: whoever sends it must also prove a key, which nobody here looks at.
  if (claims['cnf'] !== undefined) throw new TokenRejected('It is bound to a key, and was sent as a bearer token.');
}

/** @throws TokenRejected if `nbf` lies ahead by more than clocks may differ: a token is used the moment it was issued */
export function checkStart(nbf: unknown, now: Pick<ExpectedClaims, 'leewaySeconds' | 'nowEpochSeconds'>): void {
  if (nbf === undefined || (isInstant(nbf) && nbf - now.leewaySeconds <= now.nowEpochSeconds)) return;
  throw new TokenRejected('It is not valid yet.');
}

const isInstant = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** What the claims say to the handler. */
export function validatedToken(token: string, claims: Readonly<Record<string, unknown>>): ValidatedToken {
  const { sub, exp } = claims;
  // `azp` is OpenID Connect's and Entra's, `cid` is Okta's.
  const clientId = [claims['client_id'], claims['azp'], claims['cid']].find((value) => typeof value === 'string');
  return {
    token,
    claims,
    scopes: scopesOf(claims),
    ...(typeof sub === 'string' && { subject: sub }),
    ...(typeof clientId === 'string' && { clientId }),
    ...(isInstant(exp) && { expiresAtEpochSeconds: exp }),
  };
}

/** `scope` of RFC 9068; `scp` of Entra, which is text, and of Okta, which is a list. */
function scopesOf({ scope, scp }: Readonly<Record<string, unknown>>): readonly string[] {
  return scp === undefined ? scopeList(scope) : [...new Set([...scopeList(scope), ...scopeList(scp)])];
}

function scopeList(value: unknown): readonly string[] {
  if (typeof value === 'string') return parseScope(value);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
