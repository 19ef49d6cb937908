/**
 * Passes requests on to an MCP server that has no login, in the name of the caller
 * `protect` found (GWY-01, GWY-11). Bodies stream through in both directions, and
 * whoever ends one side ends the other.
 */
import { systemClock } from '../../clock.ts';
import { kindOf } from '../../failure.ts';
import { throwProblems } from '../../misconfigured.ts';
import { challengeFacts } from '../../protocol/challenge.ts';
import { canonicalResource } from '../../protocol/resource-identifier.ts';
import { backendGone, backendLate, nothingBehind, sessionUnknown } from '../bearer-answers.ts';
import { gatewayLog } from '../gateway-log.ts';
import { InsufficientScope } from '../insufficient-scope.ts';
import type { BackendAccess, ProtectedCall, ProtectOptions } from '../protect-options.ts';
import { TokenRejected } from '../token-validator.ts';
import { backendTarget } from './backend-target.ts';
import { problemsOfProxy, type ReverseProxyOptions, SHORTEST_SESSION_KEY_BYTES } from './proxy-options.ts';
import { headersForBackend } from './request-headers.ts';
import { headersForCaller } from './response-headers.ts';
import { sessionBinding } from './session-binding.ts';

/** What one request acts with at the backend. */
export interface ProxyClient {
  /** Empty: the backend gets no token. */
  readonly token: string;
}

/** To be spread into the options of `protect`. */
export type ReverseProxy = Pick<ProtectOptions<ProxyClient>, 'createClient' | 'handler'>;

const REQUEST_TIMEOUT_MS = 120_000;
const LONGEST_TIMER_MS = 2_147_483_647;
/**
 * With the platform's own credentials (cookies) in play, the Fetch standard lets a 401 to a body that cannot be sent
 * again end like a broken network; Node 24.14 and 24.15 did so. Workers know no such thing, and throw at its name.
 */
const WITHOUT_CREDENTIALS: Pick<RequestInit, 'credentials'> = 'credentials' in Request.prototype ? { credentials: 'omit' } : {};
/** No response made here may have a body with them. */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/**
 *     protect({ resource, validator, ...reverseProxy({ resource, backend: 'http://127.0.0.1:3000/mcp' }) })
 *
 * | the backend | the answer |
 * |---|---|
 * | cannot be reached, or breaks off before its headers | 502 |
 * | sends no headers within `requestTimeoutMs` | 504 |
 * | breaks off later | the caller's stream breaks off, too |
 * | redirects to its own address | mapped to the public one, or 502: the address never leaves |
 * | says 401 with `backendToken: 'upstream'` | 401 `invalid_token`: the upstream token was refused |
 * | says 401 otherwise, or 407 | 502: no login of the caller's would help |
 * | says 403 `insufficient_scope` | 403 naming all scopes needed |
 *
 * Who calls is in `X-Authchart-Subject`, `-Client-Id`, `-Scope` (space-separated) and `-Issuer`, percent-encoded
 * where not visible ASCII. A session identifier of the backend works for the caller it was given to; for others it is 404.
 *
 * The fallback client is `{ token: '' }`, or has a token of the environment's, which the backend then gets; the
 * backend is told of no caller.
 *
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once
 */
export function reverseProxy(options: ReverseProxyOptions): ReverseProxy {
  throwProblems(problemsOfProxy(options));
  const { backendToken = 'none', requestTimeoutMs = REQUEST_TIMEOUT_MS, clock = systemClock } = options;
  const ask = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const target = backendTarget(canonicalResource(options.resource), new URL(options.backend));
  const sessions = sessionBinding(options.sessionKey ?? crypto.getRandomValues(new Uint8Array(SHORTEST_SESSION_KEY_BYTES)));
  const log = gatewayLog(options.logger, () => clock.now());

  /** The backend's answer, or ours in its place. */
  const exchange = async (request: Request, url: URL, headers: Headers): Promise<{ response: Response; isOurs: boolean }> => {
    const ending = new AbortController();
    const leave = (): void => ending.abort();
    let isLate = false;
    const timer = setTimeout(
      () => {
        isLate = true;
        ending.abort();
      },
      Math.min(requestTimeoutMs, LONGEST_TIMER_MS),
    );
    // For the whole body: a caller who goes away takes the backend's connection along.
    if (request.signal.aborted) leave();
    else request.signal.addEventListener('abort', leave, { once: true });
    const init: RequestInit & { duplex?: 'half' } = {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: ending.signal,
      ...WITHOUT_CREDENTIALS,
      ...(request.body !== null && { body: request.body, duplex: 'half' }),
    };
    try {
      return { response: await ask(url, init), isOurs: false };
    } catch (thrown) {
      if (isLate) log('warn', 'backend-late', { code: 'backend_timeout', afterMs: requestTimeoutMs });
      else if (!request.signal.aborted) log('warn', 'backend-unreachable', { code: 'backend_unreachable', reason: networkCode(thrown) });
      return { response: isLate ? backendLate() : backendGone(), isOurs: true };
    } finally {
      clearTimeout(timer);
    }
  };

  const unusable = (response: Response, code: string): Response => {
    log('error', 'backend-answer-refused', { code, status: response.status });
    response.body?.cancel().catch(() => {});
    return backendGone();
  };

  /** @throws TokenRejected, InsufficientScope: `protect` answers with the gateway's own challenge */
  const refuseLogin = (response: Response, { client, caller }: ProtectedCall<ProxyClient>): Response | undefined => {
    const { status, headers } = response;
    if (status === 401 && client.token !== '' && caller !== undefined) {
      response.body?.cancel().catch(() => {});
      log('warn', 'backend-token-refused', { code: 'backend_token_refused' });
      throw new TokenRejected('The backend refused the upstream token.');
    }
    if (status === 401 || status === 407) return unusable(response, 'backend_wants_login');
    const { error, scopes = [] } = (status === 403 && caller !== undefined && challengeFacts(headers, client.token)) || {};
    if (error !== 'insufficient_scope' || scopes.length === 0) return undefined;
    response.body?.cancel().catch(() => {});
    throw new InsufficientScope(scopes);
  };

  /** False if the answer must not get out. Adds to `headers` what the backend's address is part of. */
  const locate = (response: Response, asked: URL, headers: Headers): boolean => {
    const location = response.headers.get('location');
    const outside = location === null ? undefined : target.publicLocation(location, asked);
    if (location !== null && outside === undefined) return false;
    if (outside !== undefined) headers.set('location', outside);
    const contentLocation = response.headers.get('content-location');
    const contentOutside = contentLocation === null ? undefined : target.publicLocation(contentLocation, asked);
    if (contentOutside !== undefined) headers.set('content-location', contentOutside);
    return true;
  };

  const answer = async (response: Response, asked: URL, call: ProtectedCall<ProxyClient>): Promise<Response> => {
    const { status } = response;
    const refused = refuseLogin(response, call);
    if (refused !== undefined) return refused;
    const headers = headersForCaller(response);
    // What browsers answer for `redirect: 'manual'` has status 0 and nothing else.
    if (headers === undefined || status < 200 || status > 599) return unusable(response, 'backend_answer_unusable');
    if (!locate(response, asked, headers)) return unusable(response, 'backend_redirect');
    const session = response.headers.get('mcp-session-id');
    if (session !== null) {
      const bound = await sessions.wrap(session, call.caller);
      if (bound === undefined) return unusable(response, 'backend_session_unusable');
      headers.set('mcp-session-id', bound);
    }
    if (!WITHOUT_BODY.includes(status)) return new Response(response.body, { status, headers });
    response.body?.cancel().catch(() => {});
    // No body follows: whoever waited for one would take the next answer of the connection for it.
    headers.delete('content-length');
    return new Response(null, { status, headers });
  };

  return {
    createClient: ({ token }: BackendAccess) => ({ token: backendToken === 'upstream' ? token.token : '' }),
    async handler(request, call) {
      const url = target.urlFor(request);
      if (url === undefined) return nothingBehind();
      const headers = headersForBackend(request, call.caller);
      if (call.client.token !== '') headers.set('authorization', `Bearer ${call.client.token}`);
      const session = request.headers.get('mcp-session-id');
      if (session !== null) {
        const backendId = await sessions.unwrap(session, call.caller);
        if (backendId === undefined) return sessionUnknown();
        headers.set('mcp-session-id', backendId);
      }
      const { response, isOurs } = await exchange(request, url, headers);
      return isOurs ? response : answer(response, url, call);
    },
  };
}

/** `ECONNREFUSED` and its like, which platforms keep in the cause; no text, for it names addresses. */
function networkCode(thrown: unknown): string {
  const { cause } = Object(thrown) as { readonly cause?: unknown };
  const { code } = Object(cause) as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : kindOf(thrown);
}
