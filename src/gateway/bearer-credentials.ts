/**
 * The bearer token of a request, from the `Authorization` header and nowhere else
 * (RFC 6750 section 2.1, GWY-13): a token in the query is in logs, histories and
 * `Referer` headers, and one in a form body would mean reading the body.
 */

export type BearerCredentials =
  /** No `Authorization` header came at all. */
  | { readonly kind: 'none' }
  /** Something came that is no bearer token: `Basic`, say. */
  | { readonly kind: 'other-scheme' }
  /** Several headers, several tokens, or characters that no token has. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

/** Node ends at headers of 16 KiB in all; other platforms may not. */
const LONGEST_TOKEN_CHARACTERS = 16_384;

/**
 * `b64token` of RFC 6750 section 2.1. Several headers arrive joined by commas,
 * which no token has: they are refused and not chosen from, since whatever stands
 * before us may have chosen another.
 */
const BEARER = /^[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*)$/;
const BEARER_SCHEME = /^bearer(?:\s|,|$)/i;

export function bearerCredentials(headers: Headers): BearerCredentials {
  const value = headers.get('authorization');
  if (value === null) return { kind: 'none' };
  if (value.length > LONGEST_TOKEN_CHARACTERS) return { kind: 'malformed' };
  const token = BEARER.exec(value)?.[1];
  if (token !== undefined) return { kind: 'token', token };
  return { kind: BEARER_SCHEME.test(value) || value.trim() === '' ? 'malformed' : 'other-scheme' };
}
