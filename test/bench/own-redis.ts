/** A Redis that nothing else uses, so that its memory can be measured. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { freePort } from '../helpers/free-port.ts';

const PROGRAM = 'redis-server';
const STARTS_WITHIN_MS = 10_000;

/** Does the work with its URL; `undefined` where there is no `redis-server` on the PATH. */
export async function withOwnRedis<Result>(directory: string, work: (url: string) => Promise<Result>): Promise<Result | undefined> {
  const port = await freePort();
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'];
  const server = spawn(PROGRAM, settings, { stdio: 'ignore' });
  const ended = Promise.race([once(server, 'exit'), once(server, 'error')]).catch(() => undefined);
  const url = `redis://127.0.0.1:${port}`;
  try {
    if (!(await Promise.race([answers(url), ended.then(() => false)]))) return undefined;
    return await work(url);
  } finally {
    server.kill();
    await ended;
  }
}

async function answers(url: string): Promise<boolean> {
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await sleep(50)) {
    const client = createClient({ url, socket: { reconnectStrategy: false } }).on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      // It is not up yet.
    } finally {
      client.destroy();
    }
  }
  return false;
}
