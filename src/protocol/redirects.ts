/**
 * Which redirects of the flow's requests are followed (SEC-02): those of a metadata
 * document inside its origin, since sites move documents. No standard asks for
 * more, and a POST carries a code, a token or a secret.
 */
import { FailureError } from '../failure.ts';
import { discardBody } from './bounded-body.ts';
import { withoutQuery } from './endpoint-url.ts';
import type { HttpRequest } from './http.ts';

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A longer chain is a loop. */
const MOST_FOLLOWED = 3;

/**
 * @param url where the response came from
 * @param followed how many redirects led to it
 * @returns the URL to ask next, or `undefined` if the response is no redirect
 * @throws FailureError `redirect_refused`
 */
export function redirectTarget(response: Response, url: string, request: HttpRequest, followed: number): string | undefined {
  const refuse = (reason: string): never => {
    discardBody(response);
    const details = { url: withoutQuery(url), reason, ...(response.status > 0 && { status: response.status }) };
    throw new FailureError('redirect_refused', request.phase, details);
  };
  const { origin } = new URL(url);
  if (response.type === 'opaqueredirect') refuse('A browser does not tell where it leads.');
  // A fetch that cannot but follow redirects has done so: all that is left to check is where it went.
  if (response.redirected && URL.parse(response.url)?.origin !== origin) refuse('The configured `fetch` followed it to another origin.');

  const location = STATUSES.has(response.status) ? response.headers.get('location') : null;
  if (location === null) return undefined;
  const next = URL.parse(location, url);
  if (next === null) return refuse('The new location is not a URL.');
  if (next.origin !== origin) return refuse(`It leads to another origin (${withoutQuery(next.origin)}).`);
  if ((request.method ?? 'GET') !== 'GET' || !request.purpose.endsWith('-metadata'))
    return refuse('This kind of request is never redirected.');
  if (followed >= MOST_FOLLOWED) return refuse('There are too many redirects.');
  discardBody(response);
  return next.href;
}
