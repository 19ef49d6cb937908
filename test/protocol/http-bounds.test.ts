import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { FetchLike } from '../../src/options.ts';
import { httpWith, metadataRequest, tokenRequest } from '../helpers/http-with.ts';
import { failureOfPromise, localServer } from '../helpers/local-server.ts';

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
    const failure = await failureOfPromise(httpWith()(server.origin, metadataRequest));
    expect([failure.code, failure.details.reason]).toEqual(['response_too_large', 'The limit is 262144 bytes.']);
    await closed;
  });

  it('counts a compressed body after decompression (SEC-02)', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(DEFAULT_LIMITS.responseBytes);
    const server = await localServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect((await failureOfPromise(httpWith()(server.origin, metadataRequest))).code).toBe('response_too_large');
  });

  it('takes a body of exactly the limit, whole, from many pieces (SEC-02)', async () => {
    const body = 'äö'.repeat(250);
    const fetch: FetchLike = async () => new Response(new Blob([body]).stream().pipeThrough(inPieces()));
    expect(await (await httpWith({ fetch, limits: { responseBytes: 1000 } })('https://as.example/', metadataRequest)).text()).toBe(body);
    expect((await failureOfPromise(httpWith({ fetch, limits: { responseBytes: 999 } })('https://as.example/', metadataRequest))).code).toBe(
      'response_too_large',
    );
  });

  it('ends a body that drips for longer than the time limit (SEC-02)', async () => {
    const server = await localServer((_, response) => {
      const drip = setInterval(() => response.write(' '), 5);
      response.once('close', () => clearInterval(drip));
    });
    const failure = await failureOfPromise(httpWith({ limits: { requestTimeoutMs: 60 } })(server.origin, metadataRequest));
    expect([failure.code, failure.retryable]).toEqual(['network_timeout', true]);
  });

  it('ends a request whose headers never come (SEC-02)', async () => {
    const server = await localServer(() => {});
    expect((await failureOfPromise(httpWith({ limits: { requestTimeoutMs: 30 } })(server.origin, tokenRequest))).code).toBe(
      'network_timeout',
    );
  });

  it('ends in time where fetch and body ignore the signal, and where the policy hangs (SEC-02)', async () => {
    const limits = { requestTimeoutMs: 20 };
    const deaf: FetchLike = () => new Promise(() => {});
    expect((await failureOfPromise(httpWith({ fetch: deaf, limits })('https://as.example/', metadataRequest))).code).toBe(
      'network_timeout',
    );
    const cancelled = vi.fn();
    const deafBody: FetchLike = async () => new Response(new ReadableStream({ cancel: cancelled }));
    expect((await failureOfPromise(httpWith({ fetch: deafBody, limits })('https://as.example/', metadataRequest))).code).toBe(
      'network_timeout',
    );
    expect(cancelled).toHaveBeenCalledOnce();
    expect(
      (await failureOfPromise(httpWith({ limits, checkUrl: () => new Promise(() => {}) })('https://as.example/', metadataRequest))).code,
    ).toBe('network_timeout');
  });

  it('reads no body where only status and headers are wanted (SEC-02)', async () => {
    const cancelled = vi.fn();
    const fetch: FetchLike = async () => new Response(new ReadableStream({ cancel: cancelled }), { status: 401 });
    const response = await httpWith({ fetch })('https://as.example/', { ...metadataRequest, discardBody: true });
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
    const running = failureOfPromise(httpWith()(server.origin, { ...metadataRequest, signal: controller.signal }));
    await arrived;
    controller.abort();
    expect((await running).code).toBe('cancelled');
    expect((await failureOfPromise(httpWith()(server.origin, { ...metadataRequest, signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect(server.requests).toHaveLength(1);
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
