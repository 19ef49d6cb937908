/**
 * The one way to a metadata, registration, token or revocation endpoint. Every
 * request of the flow goes through it, so that the embedder's `fetch` (proxy,
 * certificate authorities, dispatcher) applies to all alike (SEC-07) and every
 * read is bounded in size and time (SEC-02).
 *
 * Left out on purpose: retries (they are states of the chart), cookies, caches,
 * and redirects other than those of metadata documents inside one origin.
 */
import ky from 'ky';
import { FailureError, type Phase } from '../failure.ts';
import type { Limits } from '../limits.ts';
import type { AuthorizationClientOptions, FetchLike, UrlPurpose } from '../options.ts';
import { isSafeEndpoint, webUrl, withoutQuery } from './endpoint-url.ts';
import { networkReason } from './network-reason.ts';

export interface HttpRequest {
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST';
  readonly headers?: HeadersInit;
  readonly body?: BodyInit;
  /** The part of the flow that a failure is told to belong to. */
  readonly phase: Phase;
  /** What the URL is for; asked of `allowUrl`, and decides whether redirects are followed. */
  readonly purpose: UrlPurpose;
  /** Ends the request with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Only status and headers are wanted: the body is not read. */
  readonly discardBody?: boolean;
}

/**
 * Resolves with the answer of any status, its body read in full.
 *
 * @throws FailureError `network_unreachable`, `network_timeout`,
 *   `response_too_large`, `redirect_refused`, `url_refused`, `cancelled`; none has
 *   a cause, none holds the request.
 */
export type Http = (url: string, request: HttpRequest) => Promise<Response>;

export interface HttpOptions {
  readonly fetch: FetchLike;
  readonly limits: Limits;
  readonly allowUrl?: AuthorizationClientOptions['allowUrl'];
  readonly logger?: AuthorizationClientOptions['logger'];
  /** Milliseconds since the epoch, for log records. Default: the system's clock. */
  readonly now?: () => number;
}

/** Where a document moved inside its origin it is found; a longer chain is a loop. */
const REDIRECTS_FOLLOWED = 3;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses for which `Response` refuses a body. */
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);
/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 2_147_483_647;

export function createHttp(options: HttpOptions): Http {
  const { limits, allowUrl, logger, now = Date.now } = options;
  const send = ky.create({
    // Called as a plain function: a platform's fetch refuses any other `this`.
    fetch: (input, init) => options.fetch(input, init),
    throwHttpErrors: false,
    retry: 0,
    // Ends at the headers; the deadline below covers the body too.
    timeout: false,
    redirect: 'manual',
    credentials: 'omit',
    cache: 'no-store',
  });

  async function exchange(url: string, request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const followsRedirects = request.method !== 'POST' && request.purpose.endsWith('-metadata');
    for (let target = url, hops = 0; ; hops += 1) {
      checkTransport(target, request);
      if (allowUrl !== undefined) await checkPolicy(target, request, allowUrl);
      const response = await send(target, {
        method: request.method ?? 'GET',
        signal,
        ...(request.headers === undefined ? {} : { headers: request.headers }),
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      const location = redirectOf(response, target, request);
      if (location === undefined) return readAnswer(response, target, request, limits.responseBytes, signal);
      discard(response);
      const next = URL.parse(location, target);
      const problem =
        next === null
          ? 'The new location is not a URL.'
          : next.origin !== new URL(target).origin
            ? `It leads to another origin (${withoutQuery(next.origin)}).`
            : !followsRedirects
              ? 'This kind of request is never redirected.'
              : hops >= REDIRECTS_FOLLOWED
                ? 'There are too many redirects.'
                : undefined;
      if (next === null || problem !== undefined) throw refusedRedirect(target, request, response.status, problem);
      target = next.href;
    }
  }

  return async (url, request) => {
    const startedAt = now();
    const log = (level: 'debug' | 'warn', facts: Readonly<Record<string, unknown>>): void => {
      if (logger === undefined) return;
      const { method = 'GET', purpose } = request;
      logger({
        level,
        event: 'http.request',
        atEpochMs: startedAt,
        method,
        url: withoutQuery(url),
        purpose,
        durationMs: now() - startedAt,
        ...facts,
      });
    };
    let response: Response;
    try {
      response = await withinDeadline((signal) => exchange(url, request, signal), url, request, limits.requestTimeoutMs);
    } catch (error) {
      const failed =
        error instanceof FailureError ? error : new FailureError('network_unreachable', request.phase, details(url, networkReason(error)));
      log('warn', { code: failed.failure.code });
      throw failed;
    }
    log('debug', { status: response.status });
    return response;
  };
}

/** Ends the work at the deadline or when the caller aborts, even where a `fetch` or a body ignores its signal. */
function withinDeadline<T>(work: (signal: AbortSignal) => Promise<T>, url: string, request: HttpRequest, timeoutMs: number): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      act();
    };
    const end = (code: 'network_timeout' | 'cancelled', reason?: string): void =>
      settle(() => {
        reject(new FailureError(code, request.phase, details(url, reason)));
        controller.abort();
      });
    const onAbort = (): void => end('cancelled');
    const timer = setTimeout(() => end('network_timeout', `The limit is ${timeoutMs} ms.`), Math.min(timeoutMs, LONGEST_TIMER_MS));
    request.signal?.addEventListener('abort', onAbort, { once: true });
    if (request.signal?.aborted === true) {
      onAbort();
      return;
    }
    work(controller.signal).then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

function checkTransport(url: string, request: HttpRequest): void {
  // The embedder may have named a resource that speaks plain http inside a closed network;
  // its metadata is read there (resource-metadata.ts compares the origins), secrets go nowhere but https.
  const usable = request.purpose === 'resource-metadata' ? webUrl(url) !== undefined : isSafeEndpoint(url);
  if (!usable) throw new FailureError('url_refused', request.phase, details(url, 'It is not https, nor http on loopback.'));
}

async function checkPolicy(url: string, request: HttpRequest, allowUrl: NonNullable<HttpOptions['allowUrl']>): Promise<void> {
  let allowed = false;
  try {
    allowed = await allowUrl(new URL(url), request.purpose);
  } catch {
    // Throwing is how some policies refuse; their text may hold anything, so it stays behind.
  }
  if (allowed !== true) throw new FailureError('url_refused', request.phase, details(url, 'The policy `allowUrl` refuses it.'));
}

/** The location a response redirects to, if it does. */
function redirectOf(response: Response, target: string, request: HttpRequest): string | undefined {
  // Browsers hide where a manual redirect leads, so that even the same origin cannot be followed.
  if (response.type === 'opaqueredirect') throw refusedRedirect(target, request, undefined, 'A browser does not tell where it leads.');
  // A fetch that cannot but follow redirects has done so already: the origin is all that is left to check.
  if (response.redirected && URL.parse(response.url)?.origin !== new URL(target).origin) {
    discard(response);
    throw refusedRedirect(target, request, response.status, 'The configured `fetch` followed it to another origin.');
  }
  if (response.status < 200)
    throw new FailureError('network_unreachable', request.phase, details(target, 'The answer is hidden or an error of `fetch`.'));
  return REDIRECT_STATUSES.has(response.status) ? (response.headers.get('location') ?? undefined) : undefined;
}

function refusedRedirect(url: string, request: HttpRequest, status: number | undefined, reason: string | undefined): FailureError {
  return new FailureError('redirect_refused', request.phase, { ...details(url, reason), ...(status === undefined ? {} : { status }) });
}

function details(url: string, reason: string | undefined): { url: string; reason?: string } {
  return reason === undefined ? { url: withoutQuery(url) } : { url: withoutQuery(url), reason };
}

/** The response with its body in memory; reading stops at the first byte too many, counted after decompression. */
async function readAnswer(
  response: Response,
  url: string,
  request: HttpRequest,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Response> {
  const { body } = response;
  if (body === null) return response;
  if (request.discardBody === true || BODILESS_STATUSES.has(response.status)) {
    discard(response);
    return new Response(null, response);
  }
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  // A stream of an injected fetch need not know the signal.
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!ArrayBuffer.isView(value)) throw new TypeError('not bytes');
      bytes += value.byteLength;
      if (bytes > limitBytes) {
        throw new FailureError('response_too_large', request.phase, details(url, `The limit is ${limitBytes} bytes.`));
      }
      chunks.push(value);
    }
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return new Response(chunks.length === 1 ? chunks[0] : joined(chunks, bytes), response);
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function discard(response: Response): void {
  void response.body?.cancel().catch(() => {});
}
