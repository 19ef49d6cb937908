/** What `reverseProxy` is given. */
import type { Clock } from '../../clock.ts';
import { type Given, problemsOfPlatform, unknownOptions, when } from '../../misconfigured.ts';
import type { FetchLike, LogRecord } from '../../options.ts';
import { isSafeEndpoint, webUrl } from '../../protocol/endpoint-url.ts';
import { canonicalResource } from '../../protocol/resource-identifier.ts';
import { problemsOfResource } from '../protect-problems.ts';

export interface ReverseProxyOptions {
  /** The same as `protect`'s: the public URL that the backend's stands for. */
  readonly resource: string | URL;
  /** The URL of the MCP server behind. It must be reachable by the gateway only: it believes what the gateway says about callers. */
  readonly backend: string | URL;
  /**
   * What the backend gets to authenticate with. `none`: nothing; it learns who calls from the `X-Authchart-*` headers,
   * and can do nothing in the caller's name elsewhere. `upstream`: the token that the validator exchanged the caller's
   * for, as `Authorization: Bearer`. Default `none`.
   */
  readonly backendToken?: 'none' | 'upstream';
  /** Allows `upstream` for a backend that is reached by plain http beyond this machine. Default false. */
  readonly tokenInClear?: boolean;
  /** From the request to the headers of the backend's answer, in milliseconds; then it is 504. The body may take any time. Default 120,000. */
  readonly requestTimeoutMs?: number;
  /**
   * Binds MCP session identifiers to their callers: 32 or more random bytes, the same in all replicas. Default: made
   * for this process; sessions end with it, and clients begin new ones.
   */
  readonly sessionKey?: Uint8Array;
  /** Used for requests to the backend. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Called with what happens; it gets no header, path or text of the backend. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
}

export const SHORTEST_SESSION_KEY_BYTES = 32;

const OPTIONS = {
  resource: true,
  backend: true,
  backendToken: true,
  tokenInClear: true,
  requestTimeoutMs: true,
  sessionKey: true,
  fetch: true,
  clock: true,
  logger: true,
} as const satisfies Record<keyof ReverseProxyOptions, true>;

/** Empty if the proxy can be made. */
export function problemsOfProxy(options: ReverseProxyOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing.'];
  const { backendToken, tokenInClear, requestTimeoutMs, sessionKey } = options;
  const given: Given = { ...options };
  const resourceProblems = problemsOfResource(options.resource);
  return [
    ...unknownOptions(given, OPTIONS),
    ...resourceProblems,
    ...problemsOfBackend(options, resourceProblems.length === 0),
    ...when(
      backendToken !== undefined && backendToken !== 'none' && backendToken !== 'upstream',
      '`backendToken` must be `none` or `upstream`.',
    ),
    ...when(tokenInClear !== undefined && typeof tokenInClear !== 'boolean', '`tokenInClear` must be true or false.'),
    ...when(
      requestTimeoutMs !== undefined && !(Number.isFinite(requestTimeoutMs) && requestTimeoutMs > 0),
      '`requestTimeoutMs` must be a number above zero.',
    ),
    ...when(
      // There and undefined is a mistake elsewhere: each replica would make one of its own.
      'sessionKey' in given && !(sessionKey instanceof Uint8Array && sessionKey.length >= SHORTEST_SESSION_KEY_BYTES),
      `\`sessionKey\` must be a Uint8Array of ${SHORTEST_SESSION_KEY_BYTES} or more random bytes; leave it out for one that ends with the process.`,
    ),
    ...problemsOfPlatform(given),
  ];
}

/** Says nothing of the URL itself: it may hold a password. */
function problemsOfBackend(options: ReverseProxyOptions, isResourceUsable: boolean): readonly string[] {
  const { backend, backendToken, tokenInClear } = options;
  if (backend === undefined) return ['`backend` is missing: the URL of the MCP server behind.'];
  const url = webUrl(String(backend));
  if (url === undefined || url.hash !== '') {
    return ['`backend` must be an http or https URL without user name, password and fragment.'];
  }
  const ownResource = isResourceUsable && canonicalResource(options.resource).replace(/\/$/, '');
  return [
    ...when(
      ownResource === canonicalResource(url).replace(/\/$/, ''),
      '`backend` is the URL of `resource`: the gateway would call itself. Give the MCP server an address of its own.',
    ),
    ...when(
      backendToken === 'upstream' && tokenInClear !== true && !isSafeEndpoint(url.href),
      '`backendToken` `upstream` needs a `backend` with https, or on a loopback address; `tokenInClear` says that the network between is trusted.',
    ),
  ];
}
