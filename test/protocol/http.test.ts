import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import type { FetchLike, LogRecord } from '../../src/options.ts';
import type { UrlCheck } from '../../src/protocol/server-urls.ts';
import { httpWith, metadataRequest, tokenRequest } from '../helpers/http-with.ts';
import { failureOfPromise, json, localServer } from '../helpers/local-server.ts';

describe('what is sent', () => {
  it('sends method, headers and form body as given', async () => {
    const seen: string[] = [];
    const server = await localServer((request, response) => {
      request.on('data', (chunk) => seen.push(String(chunk)));
      request.on('end', () => json(response, { ok: true }, 201));
    });
    const response = await httpWith()(`${server.origin}/token`, { ...tokenRequest, headers: { accept: 'application/json' } });
    expect([response.status, await response.json()]).toEqual([201, { ok: true }]);
    expect(seen.join('')).toBe('code=secret-code');
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      target: '/token',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    });
  });

  it('sends every request through the configured fetch, with the same safe settings (SEC-07)', async () => {
    const seen: Request[] = [];
    const fetch: FetchLike = async (input, init) => {
      seen.push(new Request(input, init));
      return Response.json({});
    };
    const http = httpWith({ fetch });
    const purposes = ['resource-metadata', 'server-metadata', 'registration', 'token', 'revocation'] as const;
    for (const purpose of purposes) await http(`https://as.example/${purpose}`, { ...tokenRequest, purpose });
    expect(seen.map((request) => new URL(request.url).pathname.slice(1))).toEqual(purposes);
    expect(new Set(seen.map((request) => `${request.redirect} ${request.credentials} ${request.cache}`))).toEqual(
      new Set(['manual omit no-store']),
    );
  });

  it('hands back 4xx and 5xx answers after one try', async () => {
    const server = await localServer((_, response) => json(response, { error: 'x' }, 503, { 'retry-after': '1' }));
    expect((await httpWith()(`${server.origin}/token`, tokenRequest)).status).toBe(503);
    expect((await httpWith()(`${server.origin}/m`, metadataRequest)).status).toBe(503);
    expect(server.requests).toHaveLength(2);
  });

  it('hands back answers without a body', async () => {
    const server = await localServer((_, response) => response.writeHead(204).end());
    expect((await httpWith()(server.origin, metadataRequest)).status).toBe(204);
  });
});

describe('URLs', () => {
  it('sends nothing to a URL that is not https, nor http on loopback', async () => {
    const fetch = vi.fn<FetchLike>();
    for (const url of [
      'http://as.example/token',
      'javascript:alert(1)',
      'data:,x',
      'https://u:p@as.example/',
      '/token',
      'ftp://as.example/',
    ]) {
      expect((await failureOfPromise(httpWith({ fetch })(url, tokenRequest))).code, url).toBe('url_refused');
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('asks before every request, those after a redirect included, and sends nothing where the answer is no (SEC-03)', async () => {
    const asked: string[] = [];
    const server = await localServer((request, response) => {
      if (request.url === '/b') json(response, {});
      else response.writeHead(302, { location: '/b' }).end();
    });
    const checkUrl: UrlCheck = async (url, { phase, purpose }) => {
      asked.push(`${purpose} ${new URL(url).pathname}`);
      if (asked.length === 4) throw new FailureError('url_refused_by_policy', phase);
    };
    await httpWith({ checkUrl })(`${server.origin}/a`, metadataRequest);
    expect((await failureOfPromise(httpWith({ checkUrl })(`${server.origin}/a`, metadataRequest))).code).toBe('url_refused_by_policy');
    expect(asked).toEqual(['server-metadata /a', 'server-metadata /b', 'server-metadata /a', 'server-metadata /b']);
    expect(server.requests.map((request) => request.target)).toEqual(['/a', '/b', '/a']);
  });
});

describe('the fetch', () => {
  it('is given a URL and plain parts, so that it may be another than the platform’s (SEC-07)', async () => {
    const given: unknown[] = [];
    const fetch: FetchLike = async (url, { method, headers, body, redirect, credentials } = {}) => {
      const text = body === null ? null : new TextDecoder().decode(body as ArrayBuffer);
      given.push([url, method, new Headers(headers).get('content-type'), text, redirect, credentials]);
      return Response.json({});
    };
    await httpWith({ fetch })('https://as.example/token', tokenRequest);
    await httpWith({ fetch })('https://as.example/metadata', metadataRequest);
    await httpWith({ fetch })('https://as.example/session', { ...metadataRequest, method: 'DELETE' });
    expect(given).toEqual([
      ['https://as.example/token', 'POST', 'application/x-www-form-urlencoded;charset=UTF-8', 'code=secret-code', 'manual', 'omit'],
      ['https://as.example/metadata', 'GET', null, null, 'manual', 'omit'],
      ['https://as.example/session', 'DELETE', null, null, 'manual', 'omit'],
    ]);
  });
});

describe('failures', () => {
  it('says in words why a host cannot be reached, and holds neither request nor cause', async () => {
    const broken = await localServer((request) => request.socket.destroy());
    let thrown: unknown;
    await httpWith()(`${broken.origin}/token?client_secret=secret-query`, {
      ...tokenRequest,
      headers: { authorization: 'Basic secret-header' },
    }).catch((error: unknown) => (thrown = error));
    expect(thrown).toMatchObject({
      name: 'FailureError',
      failure: {
        code: 'network_unreachable',
        details: { url: `${broken.origin}/token`, reason: 'The connection was cut (UND_ERR_SOCKET).' },
      },
    });
    expect(thrown).not.toHaveProperty('cause');
    expect(JSON.stringify(thrown) + String(thrown) + (thrown as Error).stack).not.toContain('secret');
  });

  it('says that a name could not be resolved', async () => {
    const fetch: FetchLike = async () => {
      throw new TypeError('fetch failed https://as.example/?secret', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) });
    };
    expect((await failureOfPromise(httpWith({ fetch })('https://as.example/', metadataRequest))).details.reason).toBe(
      'Its name could not be resolved (ENOTFOUND).',
    );
  });

  it('treats an opaque or erroneous Response of an injected fetch as unreachable', async () => {
    expect((await failureOfPromise(httpWith({ fetch: async () => Response.error() })('https://as.example/', metadataRequest))).code).toBe(
      'network_unreachable',
    );
    const text: FetchLike = async () =>
      new Response(
        new ReadableStream({
          start: (c) => {
            c.enqueue('not bytes');
            c.close();
          },
        }),
      );
    expect((await failureOfPromise(httpWith({ fetch: text })('https://as.example/', metadataRequest))).code).toBe('network_unreachable');
  });

  it('logs status or code and a bare URL, and nothing when no logger is set', async () => {
    const records: LogRecord[] = [];
    const silent = vi.spyOn(console, 'log');
    onTestFinished(() => silent.mockRestore());
    const server = await localServer((request, response) =>
      request.url === '/cut?code=secret' ? request.socket.destroy() : json(response, {}),
    );
    const http = httpWith({ logger: (record) => records.push(record), now: () => 1000 });
    await http(`${server.origin}/ok?code=secret`, tokenRequest);
    await failureOfPromise(http(`${server.origin}/cut?code=secret`, tokenRequest));
    expect(records).toEqual([
      {
        level: 'debug',
        event: 'http.request',
        atEpochMs: 1000,
        method: 'POST',
        url: `${server.origin}/ok`,
        purpose: 'token',
        durationMs: 0,
        status: 200,
      },
      {
        level: 'warn',
        event: 'http.request',
        atEpochMs: 1000,
        method: 'POST',
        url: `${server.origin}/cut`,
        purpose: 'token',
        durationMs: 0,
        code: 'network_unreachable',
      },
    ]);
    expect(silent).not.toHaveBeenCalled();
  });
});
