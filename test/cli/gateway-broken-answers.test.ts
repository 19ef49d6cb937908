import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { backendFetch } from '../../src/cli/gateway/backend-fetch.ts';
import { listen } from '../../src/cli/gateway/node-server.ts';
import { protect } from '../../src/gateway/protect.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import { scriptedValidator } from '../gateway/protected-scene.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { localServer } from '../helpers/local-server.ts';

const RESOURCE = 'https://mcp.example.com/mcp';
let printed: readonly unknown[] = [];
beforeEach(() => {
  printed = caughtConsole();
});

/** A gateway of Node's before a backend that answers like this, and one request of a caller. */
async function askedOf(answer: RequestListener) {
  const { origin } = await localServer(answer);
  const { fetch, close } = backendFetch();
  const proxy = reverseProxy({ resource: RESOURCE, backend: `${origin}/mcp`, fetch });
  const handler = protect({ resource: RESOURCE, validator: scriptedValidator, ...proxy });
  const events: unknown[] = [];
  const server = await listen(handler, { host: '127.0.0.1', port: 0 }, (event, details) => void events.push({ event, ...details }));
  onTestFinished(async () => {
    await server.close(0);
    await close();
  });
  const caller: Socket = connect(server.address.port, '127.0.0.1');
  const received = { text: '' };
  caller.setEncoding('utf8').on('data', (text: string) => {
    received.text += text;
  });
  caller.write('GET /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nAuthorization: Bearer good-alice\r\n\r\n');
  return { caller, received, events };
}

it('an answer that breaks off breaks off for the caller, and is in the log, without a word to stderr of where the backend is (GWY-01, SEC-01)', async () => {
  let breakOff = (): void => {};
  const { caller, received, events } = await askedOf((_request, response) => {
    breakOff = () => response.destroy();
    response.write('the first half');
  });
  while (!received.text.includes('half')) await once(caller, 'data');
  breakOff();
  await once(caller, 'close');
  expect(received.text).not.toMatch(/Error|terminated|\r\n0\r\n/);
  expect(events).toEqual([{ event: 'answer-broken', thrown: 'TypeError' }]);
  expect(printed).toEqual([]);
});

it('an answer that breaks off at once says nothing of why (GWY-01, SEC-01)', async () => {
  const { caller, received, events } = await askedOf((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x', () => response.destroy());
  });
  await once(caller, 'close');
  expect(received.text).not.toMatch(/Error|terminated|\r\n0\r\n/);
  expect(events).toEqual([{ event: 'answer-broken', thrown: 'TypeError' }]);
  expect(printed).toEqual([]);
});

it('an answer that its caller leaves ends at the backend, and nobody speaks of it (GWY-01, GWY-11)', async () => {
  let left: Promise<unknown> | undefined;
  const { caller, received, events } = await askedOf((_request, response) => {
    left = once(response, 'close');
    response.write('the first half');
  });
  while (!received.text.includes('half')) await once(caller, 'data');
  caller.destroy();
  await left;
  expect([events, printed]).toEqual([[], []]);
});

it('an answer that is whole comes whole (GWY-01)', async () => {
  const { caller, received, events } = await askedOf((_request, response) => void response.end('x'.repeat(300_000)));
  while (received.text.length < 300_000) await once(caller, 'data');
  caller.destroy();
  expect(received.text.endsWith('x'.repeat(300_000))).toBe(true);
  expect([events, printed]).toEqual([[], []]);
});
