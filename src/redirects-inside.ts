/**
 * Redirects where the access token belongs to a path and not to the whole origin
 * (FET-02): fetch itself would carry it to a neighbour on the same origin.
 */
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';
import type { FetchLike } from './options.ts';
import { withoutQuery } from './protocol/endpoint-url.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** The Fetch standard follows twenty; servers that add a slash or a version need one. */
const MOST_FOLLOWED = 5;

/**
 * Follows redirects as fetch does, as long as they stay inside. A one-shot body
 * cannot be sent again: the caller gets such a redirect as it came.
 *
 * @throws AuthorizationError `url_outside_resource` before anything is sent there
 */
export function followingInside(fetch: FetchLike, isInside: (url: string) => boolean): FetchLike {
  return async (input, init) => {
    const asked = input instanceof Request ? input.redirect : undefined;
    if ((init?.redirect ?? asked ?? 'follow') !== 'follow') return fetch(input, init);
    let sent = firstHop(input, init);
    let response = await fetch(input, { ...init, redirect: 'manual' });
    for (let followed = 0; followed < MOST_FOLLOWED; followed += 1) {
      const next = nextHop(response, sent);
      if (next === undefined) return response;
      if (!isInside(next.url)) throw new AuthorizationError(failure('url_outside_resource', 'request', { url: withoutQuery(next.url) }));
      await response.body?.cancel().catch(() => {});
      const { url, body, ...rest } = next;
      response = await fetch(url, { ...init, ...rest, body: body ?? null, redirect: 'manual' });
      sent = next;
    }
    return response;
  };
}

interface Hop {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null | undefined;
}

function firstHop(input: string | URL | Request, init: RequestInit | undefined): Hop {
  const given = input instanceof Request ? input : undefined;
  return {
    url: given?.url ?? String(input),
    method: init?.method ?? given?.method ?? 'GET',
    headers: new Headers(init?.headers ?? given?.headers),
    body: init?.body ?? given?.body,
  };
}

/** What to send next, or `undefined` if the response is the caller's. */
function nextHop(response: Response, sent: Hop): Hop | undefined {
  const url = redirectOf(response, sent.url);
  if (url === undefined) return undefined;
  if (becomesGet(response.status, sent.method)) {
    const headers = new Headers(sent.headers);
    headers.delete('content-type');
    return { url, method: 'GET', headers, body: undefined };
  }
  const canBeSentAgain = sent.body === undefined || sent.body === null || typeof sent.body === 'string';
  return canBeSentAgain ? { ...sent, url } : undefined;
}

function redirectOf(response: Response, url: string): string | undefined {
  if (response.type === 'opaqueredirect') {
    const reason = 'It is redirected, and a browser does not tell where to.';
    throw new AuthorizationError(failure('redirect_refused', 'request', { url: withoutQuery(url), reason }));
  }
  const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
  return location === null ? undefined : URL.parse(location, url)?.href;
}

/** Fetch standard, HTTP-redirect fetch, step 12. */
function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}
