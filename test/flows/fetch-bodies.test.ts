import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { FetchLike } from '../../src/options.ts';
import { type ByteResource, byteResource } from '../helpers/byte-resource.ts';
import { failureOfCall } from '../helpers/waiting.ts';

/** No valid UTF-8, so that a body that went through text would show. */
const BYTES = Buffer.concat([Buffer.from([0, 0xff, 0xfe, 0x80, 0x0d, 0x0a]), randomBytes(3000)]);
const TEXT = 'ünïcödé\r\n\0{"jsonrpc":"2.0"}';

type Body = NonNullable<RequestInit['body']> | AsyncIterable<Uint8Array | string>;

function form(): FormData {
  const data = new FormData();
  data.append('name', 'a "quoted"\r\nname');
  data.append('file', new Blob([BYTES], { type: 'Application/X-Mixed' }), 'ä.bin');
  return data;
}

/** In pieces, each on a turn of its own. */
async function* pieces(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.slice(at, at + size);
  }
}

function streamOf(bytes: Uint8Array, size?: number): ReadableStream<Uint8Array> {
  const source = pieces(bytes, size);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function* textPieces(): AsyncGenerator<string> {
  yield TEXT.slice(0, 5);
  yield TEXT.slice(5);
}

/** The same bytes in texts of ASCII, where they are. */
async function* textOf(bytes: Uint8Array): AsyncGenerator<string> {
  for await (const piece of pieces(bytes)) yield Buffer.from(piece).toString('latin1');
}

/** Sent first without a token, then with one; what must be alike is compared. */
async function replayed(resource: ByteResource, input: (url: string) => [string | Request, RequestInit?]) {
  const [target, init] = input(resource.url);
  const response = await resource.client.fetch(target, init);
  expect(response.status).toBe(200);
  expect(resource.uploads.map(({ status }) => status)).toEqual([401, 200]);
  const [first, second] = resource.uploads;
  expect(second?.bytes.equals(first?.bytes ?? Buffer.alloc(0))).toBe(true);
  expect(second?.contentType).toBe(first?.contentType);
  return second;
}

const post = (body: Body, more: object = {}): RequestInit => ({ method: 'POST', body: body as BodyInit, ...more });

describe('request bodies on real sockets', () => {
  it.each<[string, () => Body, Buffer]>([
    ['a string', () => TEXT, Buffer.from(TEXT)],
    ['an ArrayBuffer', () => BYTES.buffer.slice(BYTES.byteOffset, BYTES.byteOffset + BYTES.byteLength) as ArrayBuffer, BYTES],
    ['a typed array that is part of a larger buffer', () => new Uint8Array(Buffer.concat([BYTES, BYTES]).buffer, 8, 100), Buffer.alloc(0)],
    ['a Node buffer', () => BYTES as Uint8Array<ArrayBuffer>, BYTES],
    ['a DataView', () => new DataView(new Uint8Array(BYTES).buffer, 2, 50), BYTES.subarray(2, 52)],
    ['a Blob', () => new Blob([BYTES], { type: 'image/x-any' }), BYTES],
    ['URLSearchParams', () => new URLSearchParams({ a: '1 2', b: 'ä&' }), Buffer.from('a=1+2&b=%C3%A4%26')],
  ])('sends %s again byte for byte (FET-05)', async (_, body, expected) => {
    const resource = await byteResource();
    const made = body();
    const upload = await replayed(resource, (url) => [url, post(made)]);
    const bytes = expected.byteLength > 0 ? expected : Buffer.from(made as Uint8Array);
    expect(upload?.bytes.equals(bytes)).toBe(true);
    expect(upload?.contentLength).toBe(String(bytes.byteLength));
  });

  it('sends FormData again with the same boundary and the same bytes (FET-05)', async () => {
    const resource = await byteResource();
    const upload = await replayed(resource, (url) => [url, post(form())]);
    const sent = await new Response(upload?.bytes as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': upload?.contentType ?? '' },
    }).formData();
    expect(sent.get('name')).toBe('a "quoted"\r\nname');
    expect(Buffer.from(await (sent.get('file') as File).arrayBuffer()).equals(BYTES)).toBe(true);
  });

  it.each<[string, () => Body, Buffer]>([
    ['a stream', () => streamOf(BYTES), BYTES],
    ['a byte stream', () => new Blob([BYTES]).stream(), BYTES],
    ['an empty stream', () => new ReadableStream({ start: (controller) => controller.close() }), Buffer.alloc(0)],
    ['an async iterable', () => pieces(BYTES), BYTES],
    ['an async iterable of texts', textPieces, Buffer.from(TEXT)],
    ['a Node stream', () => Readable.from(pieces(BYTES)), BYTES],
  ])('keeps %s and sends it again byte for byte (FET-05)', async (_, body, expected) => {
    const resource = await byteResource();
    const upload = await replayed(resource, (url) => [url, post(body(), { duplex: 'half' })]);
    expect(upload?.bytes.equals(expected)).toBe(true);
  });

  it.each<[string, () => Body, object]>([
    ['a string', () => TEXT, {}],
    ['FormData', form, {}],
    ['a Blob', () => new Blob([BYTES], { type: 'image/x-any' }), {}],
    ['a stream', () => streamOf(BYTES), { duplex: 'half' }],
  ])('sends the %s of a Request again byte for byte (FET-05)', async (_, body, more) => {
    const resource = await byteResource();
    await replayed(resource, (url) => [new Request(url, post(body(), more))]);
  });

  it('lets the body of the init win over that of the Request (FET-05)', async () => {
    const resource = await byteResource();
    const upload = await replayed(resource, (url) => [new Request(url, post('of the request')), post(TEXT)]);
    expect(upload?.bytes.toString()).toBe(TEXT);
  });

  it('sends what the body was when fetch was called, whatever the caller writes into it afterwards (FET-05)', async () => {
    const resource = await byteResource();
    const reused = new Uint8Array(BYTES);
    const pending = resource.client.fetch(resource.url, post(reused));
    reused.fill(7);
    expect((await pending).status).toBe(200);
    expect(resource.uploads.map(({ bytes }) => bytes.equals(BYTES))).toEqual([true, true]);
  });

  it('sends a request without a body again without one (FET-05)', async () => {
    const resource = await byteResource();
    const upload = await replayed(resource, (url) => [url, { method: 'DELETE' }]);
    expect(upload).toMatchObject({ method: 'DELETE', bytes: Buffer.alloc(0) });
  });

  it('keeps the length of a Request whose body is no stream, as fetch does (FET-05)', async () => {
    const resource = await byteResource();
    await replayed(resource, (url) => [new Request(url, post(TEXT))]);
    const length = String(Buffer.byteLength(TEXT));
    expect(resource.uploads.map(({ contentLength }) => contentLength)).toEqual([length, length]);
  });

  it('sends a stream again whose upload the 401 has overtaken (FET-05)', async () => {
    const resource = await byteResource({ challengesEarly: true });
    const large = randomBytes(600_000);
    const response = await resource.client.fetch(resource.url, post(streamOf(large, 5_000), { duplex: 'half' }));
    expect(response.status).toBe(200);
    expect(resource.uploads.find(({ status }) => status === 200)?.bytes.equals(large)).toBe(true);
  });
});

describe('one-shot bodies about the limit', () => {
  const LIMIT = 10_000;
  const ascii = (length: number): Buffer => Buffer.from(randomBytes(length).toString('hex').slice(0, length));
  const limited = { client: { limits: { replayBufferBytes: LIMIT } } };
  const oneShots: [string, (bytes: Uint8Array) => (url: string) => [string | Request, RequestInit?]][] = [
    ['a stream', (bytes) => (url) => [url, post(streamOf(bytes), { duplex: 'half' })]],
    ['an async iterable', (bytes) => (url) => [url, post(pieces(bytes), { duplex: 'half' })]],
    ['an async iterable of texts', (bytes) => (url) => [url, post(textOf(bytes), { duplex: 'half' })]],
    ['the stream of a Request', (bytes) => (url) => [new Request(url, post(streamOf(bytes), { duplex: 'half' }))]],
  ];

  it.each(oneShots)('sends %s of exactly the limit again (FET-05)', async (_, make) => {
    const resource = await byteResource(limited);
    const upload = await replayed(resource, make(ascii(LIMIT)));
    expect(upload?.bytes.byteLength).toBe(LIMIT);
  });

  it.each(oneShots)(
    'passes %s above the limit through once, completes the authorization and says that it was not resent (FET-05)',
    async (_, make) => {
      const resource = await byteResource(limited);
      const bytes = ascii(LIMIT + 1);
      const [target, init] = make(bytes)(resource.url);
      const failure = await failureOfCall(resource.client.fetch(target, init));
      expect(failure).toMatchObject({ code: 'request_not_resent', retryable: true, details: { url: resource.url } });
      expect(resource.uploads.map(({ status, bytes: sent }) => [status, sent.equals(bytes)])).toEqual([[401, true]]);
      expect(resource.client.status.step).toBe('authorized');
      expect((await resource.client.fetch(target instanceof Request ? resource.url : target, post('again'))).status).toBe(200);
      expect(resource.user.shown).toHaveLength(1);
    },
  );

  it.each(oneShots)('sends %s above the limit in full when a token is at hand (FET-05)', async (_, make) => {
    const resource = await byteResource(limited);
    await resource.client.authorize();
    const bytes = ascii(LIMIT * 5);
    const [target, init] = make(bytes)(resource.url);
    expect((await resource.client.fetch(target, init)).status).toBe(200);
    expect(resource.uploads.at(-1)?.bytes.equals(bytes)).toBe(true);
  });
});

describe('a 401 that overtakes the upload of a body above the limit', () => {
  it('never sends half of it as if it were all (FET-05)', async () => {
    const resource = await byteResource({ challengesEarly: true, client: { limits: { replayBufferBytes: 10_000 } } });
    const large = randomBytes(2_000_000);
    await resource.client.fetch(resource.url, post(streamOf(large, 5_000), { duplex: 'half' })).catch(() => undefined);
    // Whether enough has passed for a replay to be ruled out is the network's affair; half a body never counts as a whole one.
    expect(resource.uploads.filter(({ status, bytes }) => status === 200 && !bytes.equals(large))).toEqual([]);
    expect(resource.user.shown).toHaveLength(1);
  });
});

describe('a body that cannot be read', () => {
  it('ends the request with the error of the stream, and does not start a flow (FET-05)', async () => {
    const resource = await byteResource();
    const broken = new Error('the file has gone');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield BYTES;
      throw broken;
    }
    const error = await resource.client.fetch(resource.url, post(failing(), { duplex: 'half' })).catch((thrown: unknown) => thrown);
    // fetch wraps what its body throws, and nobody unwraps it.
    expect(error).toMatchObject({ name: 'TypeError', cause: broken });
    expect(resource.user.shown).toEqual([]);
  });

  it('gets its 401 also from versions of fetch that fail on a 401 to a stream unless credentials are left out (FET-05)', async () => {
    // undici 7.19 to 7.24 (Node 24.14), and the Fetch standard in browsers: a body without a source cannot be sent again by fetch itself.
    const strict: FetchLike = async (input, init) => {
      const isStream = init?.body instanceof ReadableStream;
      const response = await fetch(input, init);
      if (response.status === 401 && isStream && init?.credentials !== 'omit') throw new TypeError('fetch failed');
      return response;
    };
    const resource = await byteResource({ fetch: strict });
    await replayed(resource, (url) => [url, post(streamOf(BYTES), { duplex: 'half' })]);
  });
});
