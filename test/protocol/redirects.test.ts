import { describe, expect, it } from 'vitest';
import type { FetchLike } from '../../src/options.ts';
import { httpWith, metadataRequest, tokenRequest } from '../helpers/http-with.ts';
import { failureOfPromise, json, localServer } from '../helpers/local-server.ts';

describe('redirects', () => {
  it('follows a metadata document inside its origin, three times at most (SEC-02)', async () => {
    const server = await localServer((request, response) => {
      const left = Number(new URL(request.url ?? '', 'http://x').searchParams.get('left'));
      if (left === 0) json(response, { found: true });
      else response.writeHead(307, { location: `?left=${left - 1}` }).end();
    });
    expect(await (await httpWith()(`${server.origin}/?left=3`, metadataRequest)).json()).toEqual({ found: true });
    const failure = await failureOfPromise(httpWith()(`${server.origin}/?left=4`, metadataRequest));
    expect([failure.code, failure.details.reason]).toEqual(['redirect_refused', 'There are too many redirects.']);
  });

  it('follows none to another origin, and names it without its query (SEC-02)', async () => {
    const elsewhere = await localServer((_, response) => json(response, {}));
    const server = await localServer((_, response) => response.writeHead(302, { location: `${elsewhere.origin}/a?b=c` }).end());
    const failure = await failureOfPromise(httpWith()(`${server.origin}/m?q=1`, metadataRequest));
    expect(failure).toMatchObject({
      code: 'redirect_refused',
      details: { url: `${server.origin}/m`, status: 302, reason: `It leads to another origin (${elsewhere.origin}/).` },
    });
    expect(elsewhere.requests).toEqual([]);
  });

  it('follows none of a POST, a token or a registration request (SEC-02)', async () => {
    const server = await localServer((_, response) => response.writeHead(308, { location: '/elsewhere' }).end());
    expect((await failureOfPromise(httpWith()(server.origin, tokenRequest))).code).toBe('redirect_refused');
    expect((await failureOfPromise(httpWith()(server.origin, { ...metadataRequest, purpose: 'registration' }))).code).toBe(
      'redirect_refused',
    );
    expect((await failureOfPromise(httpWith()(server.origin, { ...metadataRequest, method: 'POST' }))).code).toBe('redirect_refused');
    expect(server.requests.map((request) => request.target)).toEqual(['/', '/', '/']);
  });

  it('refuses a location that is not http, and the redirect a browser hides (SEC-02)', async () => {
    const to =
      (location: string): FetchLike =>
      async () =>
        new Response(null, { status: 302, headers: { location } });
    for (const location of ['javascript:alert(1)', 'file:///etc/passwd', 'http://[']) {
      expect((await failureOfPromise(httpWith({ fetch: to(location) })('https://as.example/', metadataRequest))).code).toBe(
        'redirect_refused',
      );
    }
    const hidden: FetchLike = async () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' });
    expect((await failureOfPromise(httpWith({ fetch: hidden })('https://as.example/', metadataRequest))).code).toBe('redirect_refused');
  });

  it('refuses an answer for which the configured fetch went to another origin by itself (SEC-02)', async () => {
    const elsewhere = await localServer((_, response) => json(response, {}));
    const server = await localServer((_, response) => response.writeHead(302, { location: elsewhere.origin }).end());
    const fetch: FetchLike = (input, init) => globalThis.fetch(new Request(input, { redirect: 'follow' }), init);
    expect((await failureOfPromise(httpWith({ fetch })(server.origin, metadataRequest))).code).toBe('redirect_refused');
  });

  it('hands back a redirect status without a location', async () => {
    const server = await localServer((_, response) => response.writeHead(304).end());
    expect((await httpWith()(server.origin, metadataRequest)).status).toBe(304);
  });
});
