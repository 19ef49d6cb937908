/** What the browser of a callback is answered with: a static page, or the way to the embedder's own (SEC-04). */
import type { Failure, FailureCode } from '../failure.ts';
import {
  acceptedPage,
  type CallbackPage,
  completedPage,
  emptyCallbackPage,
  refusedPage,
  securityHeaders,
} from '../user-agents/callback-page.ts';

export const completedAnswer = (applicationName: string | undefined): Response => pageAnswer(200, completedPage(applicationName));

export const acceptedAnswer = (applicationName: string | undefined): Response => pageAnswer(200, acceptedPage(applicationName));

export const emptyAnswer = (): Response => pageAnswer(400, emptyCallbackPage());

/** Nothing of the callback's URL goes along: no query, no `Referer`. */
export function redirectAnswer(location: string): Response {
  return new Response(null, { status: 303, headers: { ...securityHeaders(undefined), Location: location } });
}

export function wrongMethodAnswer(): Response {
  const headers = { ...securityHeaders(undefined), 'Content-Type': 'text/plain; charset=utf-8', Allow: 'GET' };
  return new Response('Only GET.\n', { status: 405, headers });
}

/** Others are 503 where the same may succeed later, and 400 where it will not. */
const STATUS: Partial<Record<FailureCode, number>> = { callback_account_mismatch: 403, closed: 503, internal_error: 500 };

export function refusedAnswer(failure: Failure): Response {
  return pageAnswer(STATUS[failure.code] ?? (failure.retryable ? 503 : 400), refusedPage(failure));
}

function pageAnswer(status: number, page: CallbackPage): Response {
  return new Response(page.html, { status, headers: { ...securityHeaders(page), 'Content-Type': 'text/html; charset=utf-8' } });
}
