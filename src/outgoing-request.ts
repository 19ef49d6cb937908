/** A caller's request, ready to be sent any number of times with whatever token is current. */
import type { AccessToken } from './access-token.ts';
import type { FetchLike } from './options.ts';
import { isOneShot, type ReplayableBody, replayable } from './replayable-body.ts';

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
  readonly body: ReplayableBody | undefined;
  send(token: AccessToken | undefined): Promise<Response>;
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

/** @param replayBufferBytes how much of a one-shot body is kept for sending it again (FET-05). */
export async function outgoing(
  { input, init, url, headers }: Given,
  fetch: FetchLike,
  replayBufferBytes: number,
): Promise<OutgoingRequest> {
  const request = input instanceof Request ? input : undefined;
  const body = init?.body ?? request?.body ?? undefined;
  const kept = body === undefined ? undefined : await replayable(body, replayBufferBytes);
  if (kept?.contentType !== undefined && !headers.has('content-type')) headers.set('content-type', kept.contentType);
  const duplex = kept !== undefined && isOneShot(body) ? { duplex: 'half' } : {};
  return {
    url,
    method: init?.method ?? request?.method ?? 'GET',
    signal: init?.signal ?? request?.signal ?? undefined,
    body: kept?.body,
    send(token) {
      if (token === undefined) headers.delete('authorization');
      else headers.set('authorization', `${token.tokenType} ${token.value}`);
      const nextBody = kept === undefined ? {} : { body: kept.body.next() ?? null };
      return fetch(input, { ...init, ...duplex, ...nextBody, headers });
    },
  };
}
