/** A caller's request, ready to be sent any number of times with whatever token is current. */
import type { AccessToken } from './access-token.ts';
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';
import type { FetchLike } from './options.ts';
import { withoutQuery } from './protocol/endpoint-url.ts';
import { type ReplayableBody, replayable, replayableRequest } from './replayable-body.ts';

/** What the caller gave to `fetch`. */
export interface Given {
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
  readonly url: string;
  readonly headers: Headers;
}

export interface OutgoingRequest {
  readonly url: string;
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  /**
   * Sends it with this token, or with none.
   *
   * @throws AuthorizationError `request_not_resent` if its body has been sent and was too large to keep
   */
  send(token: AccessToken | undefined): Promise<Response>;
  /** It will not be sent again; with a reason, a stream that its body comes from is cancelled. */
  release(reason?: unknown): void;
}

export function given(input: string | URL | Request, init: RequestInit | undefined): Given {
  return {
    input,
    init,
    url: urlOf(input),
    headers: new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined)),
  };
}

function urlOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input;
  return input instanceof URL ? input.href : input.url;
}

/** Takes the body as it is now. @param replayBufferBytes how much of a one-shot body is kept for sending it again (FET-05). */
export async function outgoing(
  { input, init, url, headers }: Given,
  fetch: FetchLike,
  replayBufferBytes: number,
): Promise<OutgoingRequest> {
  const request = input instanceof Request ? input : undefined;
  const body = await bodyOf(request, init, replayBufferBytes);
  if (body?.contentType !== undefined && !headers.has('content-type')) headers.set('content-type', body.contentType);
  let isSent = false;

  async function nextBody(sent: ReplayableBody): Promise<RequestInit> {
    const next = isSent ? await sent.again() : sent.first();
    const isOfRequest = next === undefined && !isSent;
    isSent = true;
    if (isOfRequest) return {};
    if (next === undefined) throw new AuthorizationError(failure('request_not_resent', 'request', { url: withoutQuery(url) }));
    return sent.isStream ? asStream(next, init) : { body: next };
  }

  return {
    url,
    method: init?.method ?? request?.method ?? 'GET',
    // As fetch has it: null takes the request's own signal away.
    signal: (init?.signal === undefined ? request?.signal : init.signal) ?? undefined,
    async send(token) {
      if (token === undefined) headers.delete('authorization');
      else headers.set('authorization', token.header);
      if (body === undefined) return fetch(input, { ...init, headers });
      return fetch(input, { ...init, ...(await nextBody(body)), headers });
    },
    release: (reason) => body?.release(reason),
  };
}

function bodyOf(
  request: Request | undefined,
  init: RequestInit | undefined,
  limitBytes: number,
): ReplayableBody | Promise<ReplayableBody> | undefined {
  if (init?.body != null) return replayable(init.body, limitBytes);
  return request === undefined || request.body === null ? undefined : replayableRequest(request, limitBytes);
}

/**
 * A stream has no source that fetch could read again, and the Fetch standard lets a
 * 401 to such a body end like a broken network unless credentials (cookies) are
 * left out. Node 24.14 and 24.15 did so.
 */
function asStream(body: BodyInit, init: RequestInit | undefined): RequestInit {
  return { body, duplex: 'half', credentials: init?.credentials ?? 'omit' } as RequestInit;
}
