/** What the backend gets to see of a request's headers, and who it is told is calling. */
import type { Caller } from '../protect-options.ts';
import { asBackendsReadIt } from './confused-names.ts';
import { connectionHeaders } from './connection-headers.ts';

/**
 * The gateway's own to say, or nobody's: credentials for the gateway, where the
 * request came from, what browsers add for their own checks (done at the gateway;
 * servers on loopback would refuse the origin), and what other proxies believe.
 */
const CALLERS_ONLY = new Set([
  'authorization',
  'cookie',
  'cookie2',
  'dpop',
  'host',
  // Set anew once it is known to be the caller's: `Mcp_Session_Id` would get another's past that.
  'mcp-session-id',
  'forwarded',
  'via',
  'proxy',
  'origin',
  'referer',
  'expect',
  'accept-encoding',
  'content-length',
  'true-client-ip',
  'client-ip',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'cf-connecting-ip',
  'fastly-client-ip',
  'remote-user',
]);
/** The second line: what proxies that log people in (oauth2-proxy, Traefik, Cloudflare, AWS, Google, Azure, Tailscale) say about them. */
const CALLERS_ONLY_PREFIX =
  /^(?:x-authchart-|x-forwarded-|x-original-|sec-fetch-|access-control-request-|proxy-|x-auth-request-|x-remote-user|x-webauth-|cf-access-|x-amzn-oidc-|x-goog-authenticated-user-|x-goog-iap-|x-ms-client-principal|tailscale-user-)/;

export function headersForBackend(request: Request, caller: Caller | undefined): Headers {
  const hopByHop = connectionHeaders(request.headers);
  const headers = new Headers();
  for (const [name, value] of request.headers) {
    const read = asBackendsReadIt(name);
    if (hopByHop.has(name) || hopByHop.has(read) || CALLERS_ONLY.has(read) || CALLERS_ONLY_PREFIX.test(read)) continue;
    headers.append(name, value);
  }
  // Platforms decode what they asked for, and the caller may not have asked for it.
  headers.set('accept-encoding', 'identity');
  const length = request.headers.get('content-length');
  if (request.body !== null && length !== null && /^\d{1,15}$/.test(length) && !request.headers.has('transfer-encoding')) {
    headers.set('content-length', length);
  }
  for (const [name, value] of identityOf(caller)) headers.set(name, value);
  return headers;
}

/** Nothing for the fallback client: nobody proved anything. */
function identityOf(caller: Caller | undefined): readonly (readonly [string, string])[] {
  if (caller === undefined) return [];
  const { subject, clientId, scopes, claims } = caller;
  const issuer = claims['iss'];
  return [
    ...(subject === undefined ? [] : [['x-authchart-subject', visible(subject)] as const]),
    ...(clientId === undefined ? [] : [['x-authchart-client-id', visible(clientId)] as const]),
    ['x-authchart-scope', scopes.map(visible).join(' ')],
    ...(typeof issuer === 'string' ? [['x-authchart-issuer', visible(issuer)] as const] : []),
  ];
}

/** Percent-encodes as UTF-8 what is not visible ASCII, and the percent sign, so that it can be read back in one way only. */
function visible(text: unknown): string {
  return String(text)
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}
