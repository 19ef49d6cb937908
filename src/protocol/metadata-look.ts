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

/** @throws FailureError as {@link Http} does, and `server_unavailable` for 429 and 5xx */
export async function lookAt(http: Http, request: LookRequest): Promise<Sight> {
  const { document, now } = request;
  const phase: Phase = document;
  const startedAt = now();
  const probe = (verdict: Probe['verdict'], facts: { status?: number; reason?: string | undefined } = {}): Probe => ({
    document,
    url: withoutQuery(request.url),
    durationMs: now() - startedAt,
    verdict,
    ...(facts.status === undefined ? {} : { status: facts.status }),
    ...(facts.reason === undefined ? {} : { reason: facts.reason }),
  });

  let response: Response;
  try {
    response = await getDocument(http, request, phase);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, details } = error.failure;
    // Sites that answer every unknown path with their login or home page: there is no document.
    if (code === 'redirect_refused') {
      return {
        seen: 'nothing',
        probe: probe('absent', {
          ...(details.status === undefined ? {} : { status: details.status }),
          reason: `It redirects. ${details.reason ?? ''}`.trim(),
        }),
      };
    }
    if (code === 'response_too_large')
      return {
        seen: 'nothing',
        probe: probe('invalid', { reason: `It is too large for a metadata document. ${details.reason ?? ''}`.trim() }),
      };
    throw error;
  }

  const { status } = response;
  const validity = validityOf(response.headers);
  if (status === 304 && request.etag !== undefined) return { seen: 'unchanged', validity, probe: probe('cached', { status }) };
  if (status === 429 || (status >= 500 && request.absentStatuses?.includes(status) !== true)) {
    const seconds = retryAfterSeconds(response.headers, now());
    const details = { url: withoutQuery(request.url), status, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) };
    throw new FailureError('server_unavailable', phase, details);
  }
  if (!response.ok) return { seen: 'nothing', probe: probe('absent', { status, reason: reasonOfStatus(status) }) };

  const type = serverText(response.headers.get('content-type')?.split(';')[0], 60);
  const object = objectIn(await response.text());
  if (object === undefined) {
    return {
      seen: 'nothing',
      probe: probe('invalid', { status, reason: `It answered with ${type ?? 'no content type'}, and the body is not a JSON object.` }),
    };
  }
  const isJson = type !== undefined && /^application\/([a-z0-9.+-]+\+)?json$/i.test(type);
  return {
    seen: 'object',
    object,
    validity,
    probe: probe('found', {
      status,
      reason: isJson ? undefined : `It is JSON served as ${type ?? 'no content type'} instead of application/json.`,
    }),
  };
}

async function getDocument(http: Http, request: LookRequest, phase: Phase): Promise<Response> {
  const get = (headers: Record<string, string>): Promise<Response> =>
    http(request.url, { phase, purpose: request.document, headers, ...(request.signal === undefined ? {} : { signal: request.signal }) });
  const plain = { accept: 'application/json' };
  try {
    return await get({
      ...plain,
      'mcp-protocol-version': request.protocolVersion,
      ...(request.etag === undefined ? {} : { 'if-none-match': request.etag }),
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

function reasonOfStatus(status: number): string {
  return status === 401 || status === 403
    ? `It answered ${status}, although metadata has to be readable without authorization.`
    : `It answered ${status}.`;
}

function validityOf(headers: Headers): Validity {
  const seconds = maxAgeSeconds(headers);
  const etag = headers.get('etag');
  return {
    ...(seconds === undefined ? {} : { maxAgeSeconds: seconds }),
    ...(etag === null || etag.length > LONGEST_ETAG_CHARACTERS ? {} : { etag }),
  };
}

/** Names the members that a schema did not accept. */
export function invalidMembers(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  const names = [...new Set(issues.map((issue) => String(issue.path[0] ?? 'document')))];
  return `It is not valid metadata: ${names.join(', ')} missing or of the wrong type.`;
}
