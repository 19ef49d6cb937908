/**
 * Where metadata is looked for, in order: protected resource metadata by RFC 9728
 * section 3 (PRM-01, PRM-06), authorization server metadata by RFC 8414 section
 * 3.1 and OpenID Connect Discovery section 4 (ASM-01), both as the MCP page
 * "Authorization Server Discovery" arranges them.
 */
import { FailureError } from '../failure.ts';
import { isSafeEndpoint, webUrl } from './endpoint-url.ts';
import { serverText } from './server-text.ts';

/**
 * 1. the URL of the challenge; 2. the well-known URI with the resource's path and
 * query inserted behind it; 3. the one at the root, without query. Each once.
 *
 * A challenge URL that is relative, `javascript:` or otherwise unusable stays in
 * the list: looking there is refused without a request, and its probe says why.
 *
 * @param resource a canonical resource identifier
 */
export function resourceMetadataUrls(resource: string, challengeUrl?: string): readonly string[] {
  const { origin, pathname, search } = new URL(resource);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const challenged = challengeUrl === undefined ? [] : [webUrl(challengeUrl)?.href ?? challengeUrl];
  return [...new Set([...challenged, `${root}${pathname === '/' ? '' : pathname}${search}`, root])];
}

/**
 * @param issuer an issuer identifier, as the resource metadata names it
 * @throws FailureError `url_refused` if it is no issuer identifier: not https (or
 *   http on loopback), or with query or fragment (RFC 8414 section 2)
 */
export function serverMetadataUrls(issuer: string): readonly string[] {
  // A dangling `?` or `#` leaves no trace in a parsed URL, so the text is looked at. Letters
  // beyond ASCII are no URL's (RFC 3986), and look like others where people read the issuer.
  if (!isSafeEndpoint(issuer) || /[?#]|[^\x21-\x7e]/.test(issuer)) {
    const shown = serverText(issuer);
    throw new FailureError('url_refused', 'server-metadata', {
      ...(shown !== undefined && { issuer: shown }),
      reason: 'An issuer identifier is an https URL (or http on loopback) without query and fragment.',
    });
  }
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = [`${origin}/.well-known/oauth-authorization-server${path}`, `${origin}/.well-known/openid-configuration${path}`];
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}
