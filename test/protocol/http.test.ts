import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULT_LIMITS, type Limits } from '../../src/limits.ts';
import type { FetchLike, LogRecord } from '../../src/options.ts';
import { createHttp, type Http, type HttpOptions, type HttpRequest } from '../../src/protocol/http.ts';
import { failureOfPromise, json, localServer } from '../helpers/local-server.ts';

const metadata: HttpRequest = { phase: 'server-metadata', purpose: 'server-metadata' };
const token: HttpRequest = { method: 'POST', phase: 'token', purpose: 'token', body: new URLSearchParams({ code: 'secret-code' }) };

function httpWith(options: Partial<Omit<HttpOptions, 'limits'>> & { readonly limits?: Partial<Limits> } = {}): Http {
  return createHttp({ fetch: globalThis.fetch, ...options, limits: { ...DEFAULT_LIMITS, ...options.limits } });
}

describe('what is sent', () => {
  it('sends method, headers and form body as given', async () => {
    const seen: string[] = [];
    const server = await localServer((request, response) => {
      request.on('data', (chunk) => seen.push(String(chunk)));
      request.on('end', () => json(response, { ok: true }, 201));
    });
    const response = await httpWith()(`${server.origin}/token`, { ...token, headers: { accept: 'application/json' } });
    expect([response.status, await response.json()]).toEqual([201, { ok: true }]);
    expect(seen.join('')).toBe('code=secret-code');
    expect(server.requests[0]).toMatchObject({ method: 'POST', target: '/token', headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } });
  });

  it('sends every request through the configured fetch, with the same safe settings (SEC-07)', async () => {
    const seen: Request[] = [];
    const fetch: FetchLike = async (input, init) => {
      seen.push(new Request(input, init));
      return Response.json({});
    };
    const http = httpWith({ fetch });
    const purposes = ['resource-metadata', 'server-metadata', 'registration', 'token', 'revocation'] as const;
    for (const purpose of purposes) await http(`https://as.example/${purpose}`, { ...token, purpose });
    expect(seen.map((request) => new URL(request.url).pathname.slice(1))).toEqual(purposes);
    expect(new Set(seen.map((request) => `${request.redirect} ${request.credentials} ${request.cache}`))).toEqual(new Set(['manual omit no-store']));
  });

  it('hands back 4xx and 5xx answers after one try', async () => {
    const server = await localServer((_, response) => json(response, { error: 'x' }, 503, { 'retry-after': '1' }));
    expect((await httpWith()(`${server.origin}/token`, token)).status).toBe(503);
    expect((await httpWith()(`${server.origin}/m`, metadata)).status).toBe(503);
    expect(server.requests).toHaveLength(2);
  });

  it('hands back answers without a body', async () => {
    const server = await localServer((_, response) => response.writeHead(204).end());
    expect((await httpWith()(server.origin, metadata)).status).toBe(204);
  });
});

describe('bounds', () => {
  it('stops an endless body at the size limit (SEC-02)', async () => {
    let onClosed = (): void => {};
    const closed = new Promise<void>((resolve) => {
      onClosed = resolve;
    });
    const server = await localServer((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', more);
      };
      response.once('close', onClosed);
      more();
    });
    const failure = await failureOfPromise(httpWith()(server.origin, metadata));
    expect([failure.code, failure.details.reason]).toEqual(['response_too_large', 'The limit is 262144 bytes.']);
    await closed;
  });

  it('counts a compressed body after decompression (SEC-02)', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(DEFAULT_LIMITS.responseBytes);
    const server = await localServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect((await failureOfPromise(httpWith()(server.origin, metadata))).code).toBe('response_too_large');
  });

  it('takes a body of exactly the limit, whole, from many pieces (SEC-02)', async () => {
    const body = 'äö'.repeat(250);
    const fetch: FetchLike = async () => new Response(new Blob([body]).stream().pipeThrough(inPieces()));
    expect(await (await httpWith({ fetch, limits: { responseBytes: 1000 } })('https://as.example/', metadata)).text()).toBe(body);
    expect((await failureOfPromise(httpWith({ fetch, limits: { responseBytes: 999 } })('https://as.example/', metadata))).code).toBe('response_too_large');
  });

  it('ends a body that drips for longer than the time limit (SEC-02)', async () => {
    const server = await localServer((_, response) => {
      const drip = setInterval(() => response.write(' '), 5);
      response.once('close', () => clearInterval(drip));
    });
    const failure = await failureOfPromise(httpWith({ limits: { requestTimeoutMs: 60 } })(server.origin, metadata));
    expect([failure.code, failure.retryable]).toEqual(['network_timeout', true]);
  });

  it('ends a request whose headers never come (SEC-02)', async () => {
    const server = await localServer(() => {});
    expect((await failureOfPromise(httpWith({ limits: { requestTimeoutMs: 30 } })(server.origin, token))).code).toBe('network_timeout');
  });

  it('ends in time where fetch and body ignore the signal, and where the policy hangs (SEC-02)', async () => {
    const limits = { requestTimeoutMs: 20 };
    const deaf: FetchLike = () => new Promise(() => {});
    expect((await failureOfPromise(httpWith({ fetch: deaf, limits })('https://as.example/', metadata))).code).toBe('network_timeout');
    const cancelled = vi.fn();
    const deafBody: FetchLike = async () => new Response(new ReadableStream({ cancel: cancelled }));
    expect((await failureOfPromise(httpWith({ fetch: deafBody, limits })('https://as.example/', metadata))).code).toBe('network_timeout');
    expect(cancelled).toHaveBeenCalledOnce();
    expect((await failureOfPromise(httpWith({ limits, allowUrl: () => new Promise(() => {}) })('https://as.example/', metadata))).code).toBe('network_timeout');
  });

  it('reads no body where only status and headers are wanted (SEC-02)', async () => {
    const cancelled = vi.fn();
    const fetch: FetchLike = async () => new Response(new ReadableStream({ cancel: cancelled }), { status: 401 });
    const response = await httpWith({ fetch })('https://as.example/', { ...metadata, discardBody: true });
    expect([response.status, await response.text()]).toEqual([401, '']);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it('ends as cancelled when the caller aborts, before or during the request', async () => {
    let onArrived = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      onArrived = resolve;
    });
    const server = await localServer(() => onArrived());
    const controller = new AbortController();
    const running = failureOfPromise(httpWith()(server.origin, { ...metadata, signal: controller.signal }));
    await arrived;
    controller.abort();
    expect((await running).code).toBe('cancelled');
    expect((await failureOfPromise(httpWith()(server.origin, { ...metadata, signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect(server.requests).toHaveLength(1);
  });
});

describe('redirects', () => {
  it('follows a metadata document inside its origin, three times at most (SEC-02)', async () => {
    const server = await localServer((request, response) => {
      const left = Number(new URL(request.url ?? '', 'http://x').searchParams.get('left'));
      if (left === 0) json(response, { found: true });
      else response.writeHead(307, { location: `?left=${left - 1}` }).end();
    });
    expect(await (await httpWith()(`${server.origin}/?left=3`, metadata)).json()).toEqual({ found: true });
    const failure = await failureOfPromise(httpWith()(`${server.origin}/?left=4`, metadata));
    expect([failure.code, failure.details.reason]).toEqual(['redirect_refused', 'There are too many redirects.']);
  });

  it('follows none to another origin, and names it without its query (SEC-02)', async () => {
    const elsewhere = await localServer((_, response) => json(response, {}));
    const server = await localServer((_, response) => response.writeHead(302, { location: `${elsewhere.origin}/a?b=c` }).end());
    const failure = await failureOfPromise(httpWith()(`${server.origin}/m?q=1`, metadata));
    expect(failure).toMatchObject({ code: 'redirect_refused', details: { url: `${server.origin}/m`, status: 302, reason: `It leads to another origin (${elsewhere.origin}/).` } });
    expect(elsewhere.requests).toEqual([]);
  });

  it('follows none of a POST, a token or a registration request (SEC-02)', async () => {
    const server = await localServer((_, response) => response.writeHead(308, { location: '/elsewhere' }).end());
    expect((await failureOfPromise(httpWith()(server.origin, token))).code).toBe('redirect_refused');
    expect((await failureOfPromise(httpWith()(server.origin, { ...metadata, purpose: 'registration' }))).code).toBe('redirect_refused');
    expect(server.requests.map((request) => request.target)).toEqual(['/', '/']);
  });

  it('refuses a location that is not http, and the redirect a browser hides (SEC-02)', async () => {
    const to = (location: string): FetchLike => async () => new Response(null, { status: 302, headers: { location } });
    for (const location of ['javascript:alert(1)', 'file:///etc/passwd', 'http://[']) {
      expect((await failureOfPromise(httpWith({ fetch: to(location) })('https://as.example/', metadata))).code).toBe('redirect_refused');
    }
    const hidden: FetchLike = async () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' });
    expect((await failureOfPromise(httpWith({ fetch: hidden })('https://as.example/', metadata))).code).toBe('redirect_refused');
  });

  it('refuses an answer for which the configured fetch went to another origin by itself (SEC-02)', async () => {
    const elsewhere = await localServer((_, response) => json(response, {}));
    const server = await localServer((_, response) => response.writeHead(302, { location: elsewhere.origin }).end());
    const fetch: FetchLike = (input, init) => globalThis.fetch(new Request(input, { redirect: 'follow' }), init);
    expect((await failureOfPromise(httpWith({ fetch })(server.origin, metadata))).code).toBe('redirect_refused');
  });

  it('hands back a redirect status without a location', async () => {
    const server = await localServer((_, response) => response.writeHead(304).end());
    expect((await httpWith()(server.origin, metadata)).status).toBe(304);
  });
});

describe('URLs', () => {
  it('sends nothing to a URL that is not https, nor http on loopback', async () => {
    const fetch = vi.fn<FetchLike>();
    for (const url of ['http://as.example/token', 'javascript:alert(1)', 'data:,x', 'https://u:p@as.example/', '/token', 'ftp://as.example/']) {
      expect((await failureOfPromise(httpWith({ fetch })(url, token))).code, url).toBe('url_refused');
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('asks the policy for every URL, redirects included; throwing and anything but true refuse', async () => {
    const asked: string[] = [];
    const server = await localServer((request, response) => {
      if (request.url === '/b') json(response, {});
      else response.writeHead(302, { location: '/b' }).end();
    });
    const http = httpWith({ allowUrl: (url, purpose) => asked.push(`${purpose} ${url.pathname}`) > 0 });
    await http(`${server.origin}/a`, metadata);
    expect(asked).toEqual(['server-metadata /a', 'server-metadata /b']);

    const onlyFirst = httpWith({ allowUrl: (url) => url.pathname === '/a' });
    expect((await failureOfPromise(onlyFirst(`${server.origin}/a`, metadata))).code).toBe('url_refused');
    const throwing = httpWith({ allowUrl: () => { throw new Error('secret-policy'); } });
    const failure = await failureOfPromise(throwing(`${server.origin}/a?token=secret-query`, metadata));
    expect(failure.code).toBe('url_refused');
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(server.requests.map((request) => request.target)).toEqual(['/a', '/b', '/a']);
  });
});

describe('failures', () => {
  it('says in words why a host cannot be reached, and holds neither request nor cause', async () => {
    const broken = await localServer((request) => request.socket.destroy());
    let thrown: unknown;
    await httpWith()(`${broken.origin}/token?client_secret=secret-query`, { ...token, headers: { authorization: 'Basic secret-header' } }).catch((error: unknown) => (thrown = error));
    expect(thrown).toMatchObject({ name: 'FailureError', failure: { code: 'network_unreachable', details: { url: `${broken.origin}/token`, reason: 'The connection was cut (UND_ERR_SOCKET).' } } });
    expect(thrown).not.toHaveProperty('cause');
    expect(JSON.stringify(thrown) + String(thrown) + (thrown as Error).stack).not.toContain('secret');
  });

  it('says that a name could not be resolved', async () => {
    const fetch: FetchLike = async () => {
      throw new TypeError('fetch failed https://as.example/?secret', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) });
    };
    expect((await failureOfPromise(httpWith({ fetch })('https://as.example/', metadata))).details.reason).toBe('Its name could not be resolved (ENOTFOUND).');
  });

  it('treats an opaque or erroneous Response of an injected fetch as unreachable', async () => {
    expect((await failureOfPromise(httpWith({ fetch: async () => Response.error() })('https://as.example/', metadata))).code).toBe('network_unreachable');
    const text: FetchLike = async () => new Response(new ReadableStream({ start: (c) => { c.enqueue('not bytes'); c.close(); } }));
    expect((await failureOfPromise(httpWith({ fetch: text })('https://as.example/', metadata))).code).toBe('network_unreachable');
  });

  it('logs status or code and a bare URL, and nothing when no logger is set', async () => {
    const records: LogRecord[] = [];
    const silent = vi.spyOn(console, 'log');
    onTestFinished(() => silent.mockRestore());
    const server = await localServer((request, response) => (request.url === '/cut?code=secret' ? request.socket.destroy() : json(response, {})));
    const http = httpWith({ logger: (record) => records.push(record), now: () => 1000 });
    await http(`${server.origin}/ok?code=secret`, token);
    await failureOfPromise(http(`${server.origin}/cut?code=secret`, token));
    expect(records).toEqual([
      { level: 'debug', event: 'http.request', atEpochMs: 1000, method: 'POST', url: `${server.origin}/ok`, purpose: 'token', durationMs: 0, status: 200 },
      { level: 'warn', event: 'http.request', atEpochMs: 1000, method: 'POST', url: `${server.origin}/cut`, purpose: 'token', durationMs: 0, code: 'network_unreachable' },
    ]);
    expect(silent).not.toHaveBeenCalled();
  });
});

/** Hands a stream on in pieces of 7 bytes, which cut through characters. */
function inPieces(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += 7) controller.enqueue(chunk.slice(at, at + 7));
    },
  });
}
