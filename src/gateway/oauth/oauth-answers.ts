/** What the gateway's endpoints answer with: never cached, never framed, errors as RFC 6749 section 5.2 has them. */

/** Browsers that are web pages' own clients read metadata, register and fetch tokens across origins; no cookie goes along. */
const CORS = { 'Access-Control-Allow-Origin': '*' } as const;

const ALWAYS = {
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/** An error of the OAuth kind, thrown by whatever finds it, and answered by the endpoint. */
export class OAuthAnswer extends Error {
  override readonly name = 'OAuthAnswer';
  readonly error: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param description for developers, in printable ASCII without `"` and `\` (RFC 6749 section 5.2); never quotes what was sent */
  constructor(
    error: string,
    description: string,
    { status = 400, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(description);
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

export function jsonAnswer(
  body: object,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response {
  return Response.json(body, { status, headers: { ...ALWAYS, ...CORS, ...headers } });
}

export function errorAnswer({ error, message, status, headers }: OAuthAnswer): Response {
  return jsonAnswer({ error, error_description: message }, { status, headers });
}

export function notFoundAnswer(): Response {
  return errorAnswer(new OAuthAnswer('not_found', 'There is nothing here.', { status: 404 }));
}

/** Of pages and redirects: no CORS, for they are the browser's own. */
export function redirectAnswer(location: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status: 303, headers: { ...ALWAYS, ...headers, Location: location } });
}

export function htmlAnswer(html: string, status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(html, { status, headers: { ...ALWAYS, 'Content-Type': 'text/html; charset=utf-8', ...headers } });
}

export function methodNotAllowed(allowed: readonly string[], isOpen: boolean): Response {
  return new Response(null, { status: 405, headers: { ...ALWAYS, ...(isOpen && CORS), Allow: allowed.join(', ') } });
}

export function preflightAnswer(allowed: readonly string[]): Response {
  const headers = {
    ...CORS,
    'Access-Control-Allow-Methods': allowed.join(', '),
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, MCP-Protocol-Version',
    'Access-Control-Max-Age': '86400',
  };
  return new Response(null, { status: 204, headers });
}
