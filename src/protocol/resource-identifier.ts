/**
 * Resource identifiers: the canonical form (RFC 8707 section 2, MCP "Canonical
 * Server URI"), which URLs lie inside one (FET-02), and whether a metadata document
 * is about one (PRM-03, RFC 9728 section 3.3).
 *
 * Two departures, both as lenient as the URL standard and no more: RFC 9728 asks
 * for identical strings, but servers write their host in upper case, with the
 * default port or with a trailing slash; and one document is often published for a
 * whole host or path prefix, which the MCP SDKs accept.
 */
import { FailureError } from '../failure.ts';
import { webUrl } from './endpoint-url.ts';
import { lenientReadings } from './lenient-decoding.ts';

/**
 * Lower-case scheme and host, no default port, no fragment, and no slash where
 * there is no path. A slash at the end of a path is kept: it may mean something.
 *
 * @throws FailureError `invalid_configuration` if it is not an absolute http or
 *   https URL, or holds user information
 */
export function canonicalResource(url: string | URL): string {
  const parsed = webUrl(String(url));
  if (parsed === undefined) {
    throw new FailureError('invalid_configuration', 'configuration', {
      reason: 'The resource has to be an absolute http or https URL without user name and password.',
    });
  }
  return `${parsed.origin}${parsed.pathname === '/' ? '' : parsed.pathname}${parsed.search}`;
}

/**
 * May an access token for `resource` go to `url`?
 *
 * @param resource a canonical resource identifier
 * @param attachTo `path` allows the resource's path and what is below it on a
 *   segment boundary; `origin` the whole origin
 */
export function isInsideResource(resource: string, url: URL, attachTo: 'origin' | 'path'): boolean {
  const own = new URL(resource);
  // `blob:` URLs carry the origin of the page that made them, so the protocol counts too.
  if (url.protocol !== own.protocol || url.origin !== own.origin) return false;
  return attachTo === 'origin' || (isPathInside(own.pathname, url.pathname) && !leadsOut(url.pathname.slice(own.pathname.length)));
}

/**
 * Servers and proxies that decode a path before they resolve it, drop the parameters
 * of its segments, or end it at a NUL, find a way out where the URL standard finds
 * none: `..%2f`, `..%5c`, `..;`, `%252e%252e/`. What decodes `%2e` also decodes the
 * `%25%32%65` it may be hidden in, so that every escape counts and not those of dots.
 * No path of ours has a NUL in it, and those who drop it read `..` in `.%00.`.
 */
function leadsOut(path: string): boolean {
  return (
    lenientReadings(path).some((read) => /(?:^|[/\\])\.\.(?:[/\\;?#\0]|$)/.test(read)) ||
    lenientReadings(path, false).some((read) => read.includes('\0'))
  );
}

/** Is a metadata document that names `documentResource` about `resource`: the same URL, or a parent on a segment boundary (PRM-03)? */
export function isResourceOf(documentResource: string, resource: string): boolean {
  const named = webUrl(documentResource);
  const own = new URL(resource);
  if (named === undefined || named.hash !== '' || named.origin !== own.origin) return false;
  // A query tells resources of one path apart; without one the document is about all of them.
  if (named.search !== '' && (named.search !== own.search || withoutSlash(named.pathname) !== withoutSlash(own.pathname))) return false;
  return isPathInside(named.pathname, own.pathname);
}

function isPathInside(parent: string, path: string): boolean {
  const base = withoutSlash(parent);
  return withoutSlash(path) === base || path.startsWith(`${base}/`);
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
