/**
 * One look at one metadata URL: what protected resource metadata and authorization
 * server metadata have in common. A document that is not there, or is none, is an
 * answer with a reason; a server that cannot answer now is a failure (PRM-02, ASM-02).
 */
import { FailureError, type Phase } from '../failure.ts';
import type { Probe } from './documents.ts';
import { withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { maxAgeSeconds } from './metadata-age.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { serverText } from './server-text.ts';

export interface LookRequest {
  readonly url: string;
  readonly document: 'resource-metadata' | 'server-metadata';
  /** Sent as `MCP-Protocol-Version` (PRM-06). */
  readonly protocolVersion: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Sent as `If-None-Match`. */
  readonly etag?: string | undefined;
  /** 5xx statuses that mean "not here" and not "not now". */
  readonly absentStatuses?: readonly number[];
  /** Others may have the document where the policy for server-supplied URLs refuses this one. */
  readonly mayBeRefused?: boolean;
}

/** How long the document may be kept, and what to ask with afterwards. */
export interface Validity {
  readonly maxAgeSeconds?: number;
  readonly etag?: string;
}

export type Sight =
  | { readonly seen: 'object'; readonly object: object; readonly validity: Validity; readonly probe: Probe }
  /** The document that belongs to the etag sent is still the newest. */
  | { readonly seen: 'unchanged'; readonly validity: Validity; readonly probe: Probe }
  | { readonly seen: 'nothing'; readonly probe: Probe };

const LONGEST_ETAG_CHARACTERS = 256;
const LONGEST_TYPE_CHARACTERS = 60;

/** @throws FailureError as {@link Http} does, and `server_unavailable` for 429 and 5xx */
export async function lookAt(http: Http, request: LookRequest): Promise<Sight> {
  const { document, url, now } = request;
  const startedAt = now();
  const finding = await findingAt(http, request);
  const probe: Probe = {
    document,
    url: withoutQuery(url),
    durationMs: now() - startedAt,
    verdict: finding.verdict,
    ...(finding.status !== undefined && { status: finding.status }),
    ...(finding.reason !== undefined && { reason: finding.reason }),
  };
  const { object, validity = {} } = finding;
  if (object !== undefined) return { seen: 'object', object, validity, probe };
  return finding.verdict === 'cached' ? { seen: 'unchanged', validity, probe } : { seen: 'nothing', probe };
}

interface Finding {
  readonly verdict: Probe['verdict'];
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly object?: object;
  readonly validity?: Validity;
}

async function findingAt(http: Http, request: LookRequest): Promise<Finding> {
  try {
    const response = await getDocument(http, request, request.document);
    return response.status === 200 ? await findingIn(response) : findingWithout(response, request);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, details } = error.failure;
    // Sites that answer every unknown path with their login or home page: there is no document.
    if (code === 'redirect_refused') return { verdict: 'absent', status: details.status, reason: `It redirects. ${details.reason ?? ''}` };
    if (code === 'response_too_large') return { verdict: 'invalid', reason: `It is too large for metadata. ${details.reason ?? ''}` };
    if (code === 'url_refused_by_policy' && request.mayBeRefused === true) return { verdict: 'refused', reason: details.reason };
    throw error;
  }
}

/** What a 200 holds; the content type is not trusted in either direction. */
async function findingIn(response: Response): Promise<Finding> {
  const { status } = response;
  const type = serverText(response.headers.get('content-type')?.split(';')[0], LONGEST_TYPE_CHARACTERS) ?? 'no content type';
  const object = objectIn(await response.text());
  if (object === undefined) {
    return { verdict: 'invalid', status, reason: `It answered with ${type}, and the body is not a JSON object.` };
  }
  const isJson = /^application\/([a-z0-9.+-]+\+)?json$/i.test(type);
  const reason = isJson ? undefined : `It is JSON served as ${type} instead of application/json.`;
  return { verdict: 'found', status, reason, object, validity: validityOf(response.headers) };
}

/** What any other status means. */
function findingWithout(response: Response, request: LookRequest): Finding {
  const { status, headers } = response;
  if (status === 304 && request.etag !== undefined) return { verdict: 'cached', status, validity: validityOf(headers) };
  if (status === 429 || (status >= 500 && request.absentStatuses?.includes(status) !== true)) {
    const seconds = retryAfterSeconds(headers, request.now());
    const details = { url: withoutQuery(request.url), status, ...(seconds !== undefined && { retryAfterSeconds: seconds }) };
    throw new FailureError('server_unavailable', request.document, details);
  }
  const closed = status === 401 || status === 403;
  const reason = `It answered ${status}${closed ? ', although metadata has to be readable without authorization' : ''}.`;
  return { verdict: 'absent', status, reason };
}

async function getDocument(http: Http, request: LookRequest, phase: Phase): Promise<Response> {
  const get = (headers: Record<string, string>): Promise<Response> =>
    http(request.url, { phase, purpose: request.document, headers, ...(request.signal && { signal: request.signal }) });
  const plain = { accept: 'application/json' };
  try {
    return await get({
      ...plain,
      'mcp-protocol-version': request.protocolVersion,
      ...(request.etag !== undefined && { 'if-none-match': request.etag }),
    });
  } catch (error) {
    // In pages and web workers only: the header makes the browser ask first, and a server that
    // answers any simple request may not know it. Elsewhere a network failure is what it says.
    const mayBeCors = 'location' in globalThis && error instanceof FailureError && error.failure.code === 'network_unreachable';
    if (!mayBeCors) throw error;
    return get(plain);
  }
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function validityOf(headers: Headers): Validity {
  const seconds = maxAgeSeconds(headers);
  const etag = headers.get('etag');
  return {
    ...(seconds !== undefined && { maxAgeSeconds: seconds }),
    ...(etag !== null && etag.length <= LONGEST_ETAG_CHARACTERS && { etag }),
  };
}

/** Names the members that a schema did not accept. */
export function invalidMembers(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  const names = [...new Set(issues.map((issue) => String(issue.path[0] ?? 'document')))];
  return `It is not valid metadata: ${names.join(', ')} missing or of the wrong type.`;
}
