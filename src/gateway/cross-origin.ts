/**
 * What web pages may do with the protected resource: CORS (Fetch standard), and the
 * check of `Origin` that MCP's transports ask for against DNS rebinding.
 *
 * Web clients authenticate by a bearer header that no browser adds by itself, so
 * pages of any origin may call: who has no token gets nothing. Cookies are never
 * allowed, so `*` is enough.
 */

/** What MCP clients send (MCP "Streamable HTTP", DPoP: RFC 9449, tracing: W3C Trace Context). `*` would leave `Authorization` out. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept',
  'DPoP',
  'Last-Event-ID',
  'MCP-Protocol-Version',
  'Mcp-Session-Id',
  'Mcp-Method',
  'Mcp-Name',
  'traceparent',
  'tracestate',
  'baggage',
];
/** Headers that mirror arguments of a tool have names of the server's choice (MCP 2026-07-28). */
const PARAMETER_HEADER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;
const MOST_PARAMETER_HEADERS = 50;
const LONGEST_REQUESTED_CHARACTERS = 8_192;
/** What pages may read beyond the few that every page may: without the challenge no client finds the login. */
const RESPONSE_HEADERS = 'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After, Location';
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

export interface CrossOrigin {
  /** False for pages whose requests are refused. True where no page asks. */
  allows(request: Request): boolean;
  /** The answer to a preflight; `undefined` for a request that is none. */
  preflight(request: Request): Response | undefined;
  /** The same response, readable by the pages that may. */
  readable(request: Request, response: Response): Response;
}

/** @param allowed origins beside the resource's own, or `*` */
export function crossOrigin(resource: string, allowed: '*' | readonly string[]): CrossOrigin {
  const origins = new Set([new URL(resource).origin, ...(allowed === '*' ? [] : allowed)]);
  const allows = ({ headers }: Request): boolean => {
    const origin = headers.get('origin');
    return allowed === '*' || origin === null || origins.has(origin);
  };
  const mark = (request: Request, headers: Headers): void => {
    for (const name of [...headers.keys()]) if (name.startsWith('access-control-')) headers.delete(name);
    if (allowed !== '*') headers.append('vary', 'Origin');
    const origin = request.headers.get('origin');
    if (allowed === '*') headers.set('access-control-allow-origin', '*');
    else if (origin !== null && origins.has(origin)) headers.set('access-control-allow-origin', origin);
  };
  return {
    allows,
    preflight(request) {
      if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined;
      const headers = new Headers({ 'cache-control': 'no-store' });
      mark(request, headers);
      if (!allows(request)) return new Response(null, { status: 403, headers });
      headers.set('access-control-allow-methods', METHODS);
      headers.set('access-control-allow-headers', [...REQUEST_HEADERS, ...parameterHeaders(request)].join(', '));
      headers.set('access-control-max-age', '7200');
      headers.append('vary', 'Access-Control-Request-Headers');
      return new Response(null, { status: 204, headers });
    },
    readable(request, response) {
      const headers = new Headers(response.headers);
      mark(request, headers);
      headers.set('access-control-expose-headers', RESPONSE_HEADERS);
      // An upgrade has a status that no response made here may have; it goes back as it is.
      if (response.status < 200) return response;
      return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
    },
  };
}

function parameterHeaders({ headers }: Request): readonly string[] {
  const requested = (headers.get('access-control-request-headers') ?? '').slice(0, LONGEST_REQUESTED_CHARACTERS);
  const names = requested.split(',').map((name) => name.trim());
  return names.filter((name) => PARAMETER_HEADER.test(name)).slice(0, MOST_PARAMETER_HEADERS);
}

/** True for an origin as browsers write it: `https://app.example.com`. */
export const isOrigin = (value: unknown): value is string =>
  typeof value === 'string' && /^https?:/.test(value) && URL.parse(value)?.origin === value;

/**
 * Might a web page of another site have sent this, which carries no credentials?
 * Only requests that act without a login need this: the page brings nothing of its
 * own, but it reaches what only this machine or network reaches.
 *
 * - `Origin` names the page for every method but `GET` and `HEAD`.
 * - `Sec-Fetch-Site` (Fetch Metadata) tells of those.
 * - A page whose name was rebound to this address is of the same origin for its
 *   browser, and sends neither with a `GET`: its own name is in `Host`. Names that
 *   strangers control have dots; addresses and names without cannot be rebound.
 */
export function mayBeForeignPage(request: Request, resource: string, allowed: readonly string[]): boolean {
  const { origin, hostname } = new URL(resource);
  const from = request.headers.get('origin');
  const asked = new URL(request.url).hostname;
  if (asked !== hostname && !isUnreboundHost(asked)) return true;
  if (from !== null) return from !== origin && !allowed.includes(from);
  const site = request.headers.get('sec-fetch-site');
  return site !== null && site !== 'same-origin' && site !== 'none';
}

const isUnreboundHost = (hostname: string): boolean => {
  // `localhost` and names below it are this machine for browsers (RFC 6761 section 6.3).
  if (hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return true;
  return !hostname.includes('.') || hostname.endsWith('.localhost');
};
