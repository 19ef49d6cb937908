/**
 * The one way to a metadata, registration, token or revocation endpoint. Every
 * request of the flow goes through it, so that the embedder's `fetch` (proxy,
 * certificate authorities, dispatcher) applies to all alike (SEC-07) and every
 * read is bounded in size and time (SEC-02), and nothing is sent to a URL that a
 * server has no business naming (SEC-03).
 *
 * Left out on purpose: retries (they are states of the chart), cookies, caches,
 * and redirects other than those of metadata documents inside one origin.
 */
import type { KyInstance } from 'ky';
import { type FailureCode, FailureError } from '../failure.ts';
import type { Limits } from '../limits.ts';
import type { AuthorizationClientOptions, FetchLike } from '../options.ts';
import { discardBody, withBodyInMemory } from './bounded-body.ts';
import { withinDeadline } from './deadline.ts';
import { isSafeEndpoint, webUrl, withoutQuery } from './endpoint-url.ts';
import { ADDRESS_NOT_PUBLIC, networkCode, networkReason } from './network-reason.ts';
import { redirectTarget } from './redirects.ts';
import type { UrlCheck, UrlUse } from './server-urls.ts';

/** Its phase is the part of the flow that a failure is told to belong to; its purpose decides, too, whether redirects are followed. */
export interface HttpRequest extends UrlUse {
  /** Default `GET`; `DELETE` ends a session that a diagnosis began. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: HeadersInit;
  readonly body?: BodyInit;
  /** Ends the request with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Only status and headers are wanted: the body is not read. */
  readonly discardBody?: boolean;
}

/**
 * Resolves with the answer of any status, its body read in full.
 *
 * @throws FailureError `network_unreachable`, `network_timeout`,
 *   `response_too_large`, `redirect_refused`, `url_refused`, `url_refused_by_policy`,
 *   `cancelled`; none has a cause, none holds the request.
 */
export type Http = (url: string, request: HttpRequest) => Promise<Response>;

export interface HttpOptions {
  readonly fetch: FetchLike;
  readonly limits: Limits;
  /** Asked before every request, those after a redirect included: there is no way around it (SEC-03). */
  readonly checkUrl: UrlCheck;
  readonly logger?: AuthorizationClientOptions['logger'];
  /** Milliseconds since the epoch, for log records. Default: the system's clock. */
  readonly now?: () => number;
}

export function createHttp(options: HttpOptions): Http {
  const { limits, checkUrl, logger, now = Date.now } = options;
  // Asking the platform's fetch for its abilities, as ky does while it loads, takes Node 20 ms: not before the first request.
  const load = async (): Promise<KyInstance> => {
    const { default: ky } = await import('ky');
    return ky.create({
      fetch: (request) => sentBy(options.fetch, request as Request),
      throwHttpErrors: false,
      retry: 0,
      // Ends at the headers; the deadline below covers the body too.
      timeout: false,
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
    });
  };
  let sender: Promise<KyInstance> | undefined;

  async function exchange(url: string, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const { method = 'GET', headers, body } = request;
    let target = url;
    for (let followed = 0; ; followed += 1) {
      checkTransport(target, request);
      await checkUrl(target, request);
      sender ??= load();
      const send = await sender;
      const response = await send(target, {
        method,
        signal,
        ...(headers !== undefined && { headers }),
        ...(body !== undefined && { body }),
      });
      const next = redirectTarget(response, target, request, followed);
      if (next === undefined) return readAnswer(response, target, request, signal);
      target = next;
    }
  }

  async function readAnswer(response: Response, url: string, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    if (response.status < 200) throw failed('network_unreachable', url, request, 'The answer is hidden, or an error of `fetch`.');
    if (request.discardBody === true) {
      discardBody(response);
      return new Response(null, response);
    }
    const whole = await withBodyInMemory(response, limits.responseBytes, signal);
    if (whole === undefined) throw failed('response_too_large', url, request, `The limit is ${limits.responseBytes} bytes.`);
    return whole;
  }

  function log(url: string, request: HttpRequest, startedAt: number, outcome: { status: number } | { code: FailureCode }): void {
    logger?.({
      level: 'status' in outcome ? 'debug' : 'warn',
      event: 'http.request',
      atEpochMs: startedAt,
      method: request.method ?? 'GET',
      url: withoutQuery(url),
      purpose: request.purpose,
      durationMs: now() - startedAt,
      ...outcome,
    });
  }

  return async (url, request) => {
    const startedAt = now();
    const timeoutMs = limits.requestTimeoutMs;
    let response: Response;
    try {
      response = await withinDeadline(
        (signal) => exchange(url, request, signal),
        timeoutMs,
        request.signal,
        (how) => failed(how, url, request, how === 'cancelled' ? undefined : `The limit is ${timeoutMs} ms.`),
      );
    } catch (error) {
      const code = networkCode(error) === ADDRESS_NOT_PUBLIC ? 'url_refused_by_policy' : 'network_unreachable';
      const known = error instanceof FailureError ? error : failed(code, url, request, networkReason(error));
      log(url, request, startedAt, { code: known.failure.code });
      throw known;
    }
    log(url, request, startedAt, { status: response.status });
    return response;
  };
}

/** With a URL and plain parts: another `fetch` than the platform's (undici's, with its proxies) does not know the platform's `Request`. */
async function sentBy(fetch: FetchLike, request: Request): Promise<Response> {
  const { url, method, headers, signal, redirect, credentials, cache } = request;
  const bytes = method === 'GET' ? undefined : await request.arrayBuffer();
  const body = bytes === undefined || bytes.byteLength === 0 ? null : bytes;
  return fetch(url, { method, headers, body, signal, redirect, credentials, cache });
}

function checkTransport(url: string, request: HttpRequest): void {
  // The embedder may have named a resource that speaks plain http inside a closed network;
  // its metadata is read there (resource-metadata.ts compares the origins), secrets go nowhere but https.
  const usable = request.purpose === 'resource-metadata' ? webUrl(url) !== undefined : isSafeEndpoint(url);
  if (!usable) throw failed('url_refused', url, request, 'It is not https, nor http on loopback.');
}

function failed(code: FailureCode, url: string, request: Pick<HttpRequest, 'phase'>, reason: string | undefined): FailureError {
  return new FailureError(code, request.phase, { url: withoutQuery(url), ...(reason !== undefined && { reason }) });
}
