/** What the caller gets to see of the headers of the backend's answer. */
import { connectionHeaders } from './connection-headers.ts';

/**
 * About the backend's origin and not the public one (cookies, alternative services,
 * policies), for whoever decides about web pages (CORS) and logins (challenges),
 * which is the gateway, or for caches in between.
 */
const BACKENDS_ONLY = new Set([
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'proxy-authentication-info',
  'alt-svc',
  'strict-transport-security',
  'clear-site-data',
  'refresh',
  'link',
  'sourcemap',
  'report-to',
  'reporting-endpoints',
  'nel',
  'via',
  'surrogate-control',
  'surrogate-key',
  // Decided anew below.
  'cache-control',
  'location',
  'content-location',
  'mcp-session-id',
  'content-encoding',
  'content-length',
]);
/** With what a server in front would take for an order of its own: to send a file, or the answer of another place. */
const BACKENDS_ONLY_PREFIX = /^(?:access-control-|x-authchart-|x-accel-|x-sendfile|x-lighttpd-send|x-litespeed-location)|-cache-control$/;

/** What every platform's `fetch` decodes. */
const DECODED = /^(?:identity|gzip|x-gzip|deflate|br)$/i;

/** `undefined` if the body is in a coding that cannot be known to be gone: nobody asked for one. */
export function headersForCaller(response: Response): Headers | undefined {
  const hopByHop = connectionHeaders(response.headers);
  const headers = new Headers();
  for (const [name, value] of response.headers) {
    if (!hopByHop.has(name) && !BACKENDS_ONLY.has(name) && !BACKENDS_ONLY_PREFIX.test(name)) headers.append(name, value);
  }
  // The one order that is the caller's, too: nginx holds events back without it.
  if (response.headers.get('x-accel-buffering')?.toLowerCase() === 'no') headers.set('x-accel-buffering', 'no');
  headers.set('cache-control', forOneCaller(response.headers.get('cache-control')));
  const coding = response.headers.get('content-encoding');
  const length = response.headers.get('content-length');
  if (coding !== null && !coding.split(',').every((one) => DECODED.test(one.trim()))) return undefined;
  // The body is decoded by now: the length was that of the coded one.
  if (coding === null && length !== null) headers.set('content-length', length);
  return headers;
}

/**
 * A backend that knows no login may call its answers public, and caches on the way
 * would give one caller's to another (RFC 9111 section 3.5).
 */
function forOneCaller(cacheControl: string | null): string {
  const directives = (cacheControl ?? '').split(',').map((directive) => directive.trim());
  const kept = directives.filter(
    (directive) => directive !== '' && !/^(?:public|s-maxage|must-revalidate|proxy-revalidate)\b/i.test(directive),
  );
  const isOwn = kept.some((directive) => /^(?:no-store|private)$/i.test(directive));
  return [...kept, ...(isOwn ? [] : ['private'])].join(', ');
}
