import { createConnection } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { caughtConsole } from '../helpers/caught-console.ts';
import { freePort } from '../helpers/free-port.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { asked, listeningHandler, PUBLIC, proxiedScene } from './proxied-scene.ts';

// The adapter tells of every connection that breaks.
beforeEach(() => void caughtConsole());

/** The deadline is one of the platform's timers. */
const DEADLINES = { toFake: ['setTimeout', 'clearTimeout'] } as const satisfies Parameters<typeof vi.useFakeTimers>[0];
afterEach(() => void vi.useRealTimers());

const AUTHORIZATION = { authorization: 'Bearer good-alice' };

describe('streams', () => {
  it('deliver events one by one, each before the next is sent (GWY-01)', async () => {
    let next: () => void = () => {};
    const scene = await proxiedScene((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let count = 0;
      next = () => {
        count += 1;
        response.write(`data: ${count}\n\n`);
      };
      next();
    });
    const front = await listeningHandler((request) => scene.handle(new Request(PUBLIC, request)));
    const caller = new AbortController();
    const response = await fetch(front, { headers: AUTHORIZATION, signal: caller.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (const count of [1, 2, 3]) {
      expect((await reader?.read())?.value).toBe(`data: ${count}\n\n`);
      next();
    }
    caller.abort();
  });

  it('of the caller reach the backend while they are sent (GWY-01)', async () => {
    let received = '';
    const { handle, seen } = await proxiedScene((request, response) => {
      request.setEncoding('utf8').on('data', (text) => {
        received += text;
      });
      request.on('end', () => response.end(received));
    });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const answering = handle(asked({ method: 'POST', body: readable, duplex: 'half' }));
    await writer.write(new TextEncoder().encode('first '));
    await expect.poll(() => received).toBe('first ');
    await writer.write(new TextEncoder().encode('second'));
    await writer.close();
    expect(await (await answering).text()).toBe('first second');
    expect(seen[0]?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
  });

  it('keep the length that the caller gave, since some backends want one (GWY-01)', async () => {
    const scene = await proxiedScene((request, response) => void request.pipe(response));
    const front = await listeningHandler((request) =>
      scene.handle(asked({ method: 'POST', body: request.body, headers: request.headers, duplex: 'half' })),
    );
    const response = await fetch(front, { method: 'POST', body: 'hello', headers: AUTHORIZATION });
    expect(await response.text()).toBe('hello');
    expect(scene.seen[0]?.headers).toMatchObject({ 'content-length': '5' });
  });

  it('that break at the backend break at the caller, and do not end as if they were whole (GWY-01)', async () => {
    let breakOff: () => void = () => {};
    const scene = await proxiedScene((_request, response) => {
      response.writeHead(200).write('half');
      breakOff = () => response.destroy();
    });
    const front = await listeningHandler((request) => scene.handle(new Request(PUBLIC, request)));
    const response = await fetch(front, { headers: AUTHORIZATION });
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('half');
    breakOff();
    await expect(reader?.read()).rejects.toThrow(TypeError);
  });
});

describe('callers who go away', () => {
  it('before the headers of the answer take the backend’s request along (GWY-11)', async () => {
    const { handle, seen, records } = await proxiedScene(() => {});
    const caller = new AbortController();
    const answering = handle(asked({ signal: caller.signal }));
    await expect.poll(() => seen.length).toBe(1);
    caller.abort();
    await expect.poll(() => seen[0]?.socket.destroyed).toBe(true);
    expect((await answering).status).toBe(502);
    expect(records).toEqual([]);
  });

  it('in the middle of a stream take the backend’s request along (GWY-11)', async () => {
    const scene = await proxiedScene((_request, response) => void response.writeHead(200).write('half'));
    const front = await listeningHandler((request) => scene.handle(new Request(PUBLIC, request)));
    const caller = new AbortController();
    const response = await fetch(front, { headers: AUTHORIZATION, signal: caller.signal });
    await response.body?.getReader().read();
    caller.abort();
    await expect.poll(() => scene.seen[0]?.socket.destroyed).toBe(true);
  });

  it('in the middle of what they send take the backend’s request along (GWY-11)', async () => {
    const scene = await proxiedScene((request) => void request.resume().on('error', () => {}));
    const front = await listeningHandler((request) =>
      scene.handle(asked({ method: 'POST', body: request.body, signal: request.signal, duplex: 'half' })),
    );
    const socket = createConnection(Number(new URL(front).port), '127.0.0.1');
    socket.write('POST /mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good-alice\r\ncontent-length: 1000\r\n\r\nhalf');
    await expect.poll(() => scene.seen.length).toBe(1);
    socket.destroy();
    await expect.poll(() => scene.seen[0]?.socket.destroyed).toBe(true);
  });
});

describe('a backend', () => {
  it('that sends no headers is given up, its connection closed, and the caller told so (GWY-01)', async () => {
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { handle, seen, records } = await proxiedScene(() => arrived(), { requestTimeoutMs: 5_000 });
    vi.useFakeTimers(DEADLINES);
    const answering = handle(asked());
    await arrival;
    vi.advanceTimersByTime(4_999);
    await settled();
    expect(records).toEqual([]);
    vi.advanceTimersByTime(1);
    const response = await answering;
    vi.useRealTimers();
    expect([response.status, await response.json()]).toMatchObject([504, { error: 'gateway_timeout' }]);
    expect(records).toMatchObject([{ event: 'backend-late', code: 'backend_timeout', afterMs: 5_000 }]);
    await expect.poll(() => seen[0]?.socket.destroyed).toBe(true);
  });

  it('that takes its time with the body is not given up (GWY-01)', async () => {
    let end: () => void = () => {};
    const { handle } = await proxiedScene(
      (_request, response) => {
        response.writeHead(200).write('slow ');
        end = () => void response.end('body');
      },
      { requestTimeoutMs: 5_000 },
    );
    vi.useFakeTimers(DEADLINES);
    const response = await handle(asked());
    vi.advanceTimersByTime(60_000);
    end();
    expect(await response.text()).toBe('slow body');
  });

  it('that is down is 502 with a code for the log, and no address (GWY-01)', async () => {
    const { handle, records, backend } = await proxiedScene(undefined, { backend: `http://127.0.0.1:${await freePort()}/mcp` });
    const response = await handle(asked());
    const text = await response.text();
    expect([response.status, JSON.parse(text)]).toMatchObject([502, { error: 'bad_gateway' }]);
    expect(records).toMatchObject([{ event: 'backend-unreachable', code: 'backend_unreachable', reason: 'ECONNREFUSED' }]);
    expect(text + JSON.stringify(records)).not.toContain(new URL(backend).hostname);
  });

  it.each([
    ['speaks no HTTP', 'hello\r\n\r\n'],
    ['answers with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!'],
    ['closes before its headers', ''],
    ['has a status that is none', 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['wants to switch protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ])('that %s is 502 (GWY-01)', async (_what, raw) => {
    const { handle, seen } = await proxiedScene((request) => void request.socket.end(raw));
    expect((await handle(asked())).status).toBe(502);
    expect(seen).toHaveLength(1);
  });

  it('that answers before it has read everything is heard (GWY-01)', async () => {
    const { handle } = await proxiedScene((_request, response) => void response.writeHead(413).end('too much'));
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
    const response = await handle(asked({ method: 'POST', body: endless, duplex: 'half' }));
    expect([response.status, await response.text()]).toEqual([413, 'too much']);
  });

  describe('that is asked twice', () => {
    const SMUGGLED = 'x\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nhost: x\r\n\r\n';

    async function smugglingScene() {
      const asking: { readonly url: string | undefined; readonly body: string }[] = [];
      const sockets = new Set<unknown>();
      const { handle } = await proxiedScene(
        (request, response) => {
          sockets.add(request.socket);
          let body = '';
          request.setEncoding('utf8').on('data', (text) => {
            body += text;
          });
          request.on('end', () => {
            asking.push({ url: request.url, body });
            response.end('done');
          });
        },
        { requestTimeoutMs: 5_000 },
      );
      const ask = (headers: HeadersInit) => handle(asked({ method: 'POST', body: SMUGGLED, headers }));
      return { asking, sockets, ask };
    }
    const WHOLE = { url: '/inner/mcp', body: SMUGGLED };

    it.each<[string, HeadersInit]>([
      ['a coding and a length', { 'transfer-encoding': 'chunked', 'content-length': '1' }],
      ['a coding', { 'transfer-encoding': 'chunked' }],
      ['an odd coding and a length', { 'transfer-encoding': 'identity, chunked', 'content-length': '1' }],
      ['a length that is none', { 'content-length': '+1' }],
    ])('over one connection does not take a part of one request for another, with %s of the caller (GWY-01)', async (_what, headers) => {
      const { asking, sockets, ask } = await smugglingScene();
      const answers: unknown[] = [];
      for (let times = 0; times < 2; times += 1) {
        const response = await ask(headers);
        answers.push([response.status, await response.text()]);
        // The connection is free again.
        await settled();
      }
      expect([answers, asking, sockets.size]).toEqual([
        [
          [200, 'done'],
          [200, 'done'],
        ],
        [WHOLE, WHOLE],
        1,
      ]);
    });

    it('gets nothing of a request that is longer than it says, and the next one whole (GWY-01)', async () => {
      const { asking, ask } = await smugglingScene();
      vi.useFakeTimers(DEADLINES);
      const answering = ask({ 'content-length': '1' });
      await settled();
      vi.advanceTimersByTime(5_000);
      expect((await answering).status).toBe(504);
      vi.useRealTimers();
      expect((await ask({})).status).toBe(200);
      expect(asking).toEqual([WHOLE]);
    });
  });
});
