/** What a gateway takes: memory and time for what streams through it, and memory for what waits in it. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loopbackServer } from '../fixtures/loopback-server.ts';
import { median, settledHeap } from './measure.ts';
import type { BuiltGateway } from './protected-requests.ts';
import type { Figure } from './report.ts';

export interface GatewayEffort {
  readonly streamedMegabytes: number;
  readonly firstBytes: number;
}

const MEGABYTE = 1_000_000;
const TOKEN = 'a static token of the benchmark'.replaceAll(' ', '-');
/** Compiled code, and the collector's own room: what comes later is kept for what streams through. */
const WARM_UP_MEGABYTES = 50;

/** @param entry the built `index.js` */
export async function measureGatewayStreams(entry: string, effort: GatewayEffort): Promise<readonly Figure[]> {
  await using backend = await startBackend();
  const program = fileURLToPath(new URL('gateway-process.ts', import.meta.url));
  const gateway = fork(program, [dirname(fileURLToPath(entry)), backend.url, TOKEN], { execArgv: ['--expose-gc'] });
  try {
    const [{ port }] = (await once(gateway, 'message')) as [{ port: number }];
    const front = `http://127.0.0.1:${port}/mcp`;
    const firstByte = await firstByteAdds(front, backend.url, effort.firstBytes);
    await drain(front, WARM_UP_MEGABYTES);
    const before = await residentMemory(gateway, 'settled');
    let most = before;
    const look = async (): Promise<void> => {
      most = Math.max(most, await residentMemory(gateway));
    };
    await drain(front, effort.streamedMegabytes, look);
    return [
      { name: 'first byte through the gateway, beyond the backend’s own', unit: 'ms', value: firstByte, atMost: 5 },
      {
        name: `memory for ${effort.streamedMegabytes} MB through the gateway, most of any moment, its reader stopping once`,
        unit: 'MB',
        value: (most - before) / MEGABYTE,
        atMost: 64,
      },
    ];
  } finally {
    gateway.kill();
  }
}

/** 10,000 registrations and 10,000 transactions under way, the most there may be; then the next ones. */
export async function measureGatewayMemory({ createGateway }: BuiltGateway): Promise<readonly Figure[]> {
  const origin = 'https://mcp.example.com';
  const count = 10_000;
  const gateway = createGateway({
    resource: `${origin}/mcp`,
    upstream: {
      clientId: 'bench',
      endpoints: { authorization: 'https://login.example.com/authorize', token: 'https://login.example.com/token' },
    },
    limits: { registrations: count, transactions: count, registrationsPerMinute: 20 * count, transactionSeconds: 3_600 },
  });
  const register = (): Promise<Response> =>
    gateway.fetch(
      new Request(`${origin}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'], client_name: 'Bench', token_endpoint_auth_method: 'none' }),
      }),
    );
  const authorize = (clientId: string): Promise<Response> => {
    const parameters = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: 'http://127.0.0.1/callback',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      state: 'the state of a client',
      resource: `${origin}/mcp`,
    };
    return gateway.fetch(new Request(`${origin}/oauth/authorize?${new URLSearchParams(parameters)}`));
  };
  const before = settledHeap();
  const clientId = (JSON.parse(await untilFull(register, 201, count)) as { client_id: string }).client_id;
  await untilFull(() => authorize(clientId), 200, count);
  const value = (settledHeap() - before) / MEGABYTE;
  for (let time = 0; time < REFUSED; time += 1) {
    const statuses = [(await register()).status, (await authorize(clientId)).status];
    if (statuses.includes(200) || statuses.includes(201))
      throw new Error(`beyond the limits the gateway answered ${statuses.join(' and ')}`);
  }
  return [{ name: 'heap of a gateway with 10,000 registrations and 10,000 logins under way', unit: 'MB', value, atMost: 100 }];
}

const REFUSED = 100;

/**
 * Asks until `count` were taken. Some are refused before the last place is: the gateway looks at a few places each time.
 *
 * @returns the text of the first one
 */
async function untilFull(ask: () => Promise<Response>, status: number, count: number): Promise<string> {
  let first = '';
  for (let taken = 0, asked = 0; taken < count; asked += 1) {
    if (asked > 10 * count) throw new Error(`only ${taken} of ${count} were taken`);
    const response = await ask();
    const text = await response.text();
    if (response.status !== status) continue;
    taken += 1;
    if (taken === 1) first = text;
  }
  return first;
}

/** Answers with as many megabytes as the path says, as fast as they are read. */
async function startBackend(): Promise<{ readonly url: string } & AsyncDisposable> {
  const chunk = Buffer.alloc(65_536, 'x');
  const server = await loopbackServer((request, response) => {
    const bytes = Number(/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0) * MEGABYTE;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    void write(response, chunk, bytes);
  });
  return { ...server, url: `${server.origin}/mcp` };
}

async function write(response: ServerResponse, chunk: Buffer, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !response.destroyed; left -= chunk.length) {
    if (!response.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(response, 'drain');
  }
  response.end('.');
}

const ask = (url: string): Promise<Response> => fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });

/** Long enough for the backend to send hundreds of megabytes to whoever takes them. */
const READER_STOPS_MS = 2_000;

/** Reads all of it, and looks on the way. Half-way it stops reading for a while: what a gateway takes meanwhile, it keeps. */
async function drain(front: string, megabytes: number, look: () => Promise<void> = async () => {}): Promise<void> {
  const response = await ask(`${front}/${megabytes}`);
  let received = 0;
  let looked = 0;
  let hasStopped = false;
  for await (const chunk of response.body ?? []) {
    received += chunk.length;
    if (!hasStopped && received > (megabytes * MEGABYTE) / 2) {
      hasStopped = true;
      await setTimeout(READER_STOPS_MS);
      looked = 0;
    }
    if (received - looked < 10 * MEGABYTE) continue;
    looked = received;
    await look();
  }
  if (received !== megabytes * MEGABYTE + 1) throw new Error(`${received} bytes came through of ${megabytes} MB`);
}

async function residentMemory(gateway: ChildProcess, when: 'settled' | 'now' = 'now'): Promise<number> {
  const answering = once(gateway, 'message');
  gateway.send(when);
  const [{ rss }] = (await answering) as [{ rss: number }];
  return rss;
}

/** Milliseconds, median against median, both asked in turn. */
async function firstByteAdds(front: string, backend: string, times: number): Promise<number> {
  const first = async (url: string): Promise<number> => {
    const startedAt = performance.now();
    const response = await ask(url);
    const reader = response.body?.getReader();
    await reader?.read();
    const took = performance.now() - startedAt;
    await reader?.read();
    return took;
  };
  const through: number[] = [];
  const direct: number[] = [];
  for (let time = -20; time < times; time += 1) {
    const [one, other] = [await first(front), await first(backend)];
    if (time < 0) continue;
    through.push(one);
    direct.push(other);
  }
  return median(through) - median(direct);
}
