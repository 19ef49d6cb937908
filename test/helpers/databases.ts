/**
 * Real databases for tests: the one an environment variable names, else the one on the
 * standard port of this machine, else one that is started from PATH and stopped again.
 * Where none can be had, the tests that need it say so by name, and fail under `CI=true`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createClient } from 'redis';
import { afterAll, type TestContext } from 'vitest';
import { freePort } from './free-port.ts';
import { notThere } from './not-there.ts';

export interface Database {
  /** Where it answers, for `context`'s test; ends the test where there is none. */
  url(context: TestContext): Promise<string>;
}

type Stop = () => Promise<void>;

interface Kind {
  readonly name: string;
  readonly variable: string;
  readonly standardUrl: string;
  /** Rejects if nothing of the kind answers there. */
  greet(url: string): Promise<unknown>;
  /** `undefined`: its programs are not there. */
  start(directory: string, port: number): { readonly url: string; readonly child: ChildProcess } | undefined;
  /** Lets it go at once, and free what outlives processes. */
  readonly stopSignal: NodeJS.Signals;
}

const STARTS_WITHIN_MS = 15_000;

export const redisDatabase = (): Database =>
  database({
    name: 'Redis',
    variable: 'REDIS_URL',
    standardUrl: 'redis://127.0.0.1:6379',
    stopSignal: 'SIGTERM',
    async greet(url) {
      const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2_000 } }).on('error', () => undefined);
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.destroy();
      }
    },
    start(directory, port) {
      const program = find('redis-server');
      if (program === undefined) return undefined;
      const child = spawn(program, ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'], {
        stdio: 'ignore',
      });
      return { url: `redis://127.0.0.1:${port}`, child };
    },
  });

export const postgresDatabase = (): Database =>
  database({
    name: 'PostgreSQL',
    variable: 'DATABASE_URL',
    standardUrl: 'postgres://postgres@127.0.0.1:5432/test',
    stopSignal: 'SIGQUIT',
    async greet(url) {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 }).on('error', () => undefined);
      try {
        await client.connect();
        await client.query('SELECT 1');
      } finally {
        await client.end();
      }
    },
    start(directory, port) {
      const [initdb, postgres] = [find('initdb'), find('postgres')];
      if (initdb === undefined || postgres === undefined) return undefined;
      // It refuses to run as root, which is what containers often are.
      const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      if (user.uid !== undefined) chownSync(directory, user.uid, user.gid);
      const data = join(directory, 'data');
      const made = spawnSync(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], user);
      if (made.status !== 0) return undefined;
      const settings = ['listen_addresses=127.0.0.1', 'fsync=off'].flatMap((setting) => ['-c', setting]);
      const child = spawn(postgres, ['-D', data, '-p', `${port}`, '-k', directory, ...settings], { ...user, stdio: 'ignore' });
      return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, child };
    },
  });

function database(kind: Kind): Database {
  let found: Promise<string | undefined> | undefined;
  const stops: Stop[] = [];
  afterAll(async () => {
    for (const stop of stops) await stop();
  });
  return {
    async url(context) {
      found ??= locate(kind, stops);
      const url = await found;
      if (url !== undefined) return url;
      return notThere(context, `${kind.name}: set ${kind.variable}, run it on its standard port, or put its programs on the PATH.`);
    },
  };
}

async function locate(kind: Kind, stops: Stop[]): Promise<string | undefined> {
  const { [kind.variable]: named } = process.env;
  // Who names one means that one: no other is tried.
  if (named !== undefined && named !== '') return named;
  if (await answers(kind, kind.standardUrl)) return kind.standardUrl;

  const directory = mkdtempSync(join(tmpdir(), 'authchart-database-'));
  const started = kind.start(directory, await freePort());
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  if (started === undefined) {
    remove();
    return undefined;
  }
  const { child, url } = started;
  const exited = new Promise((resolve) => {
    child.once('exit', resolve).once('error', resolve);
  });
  stops.push(async () => {
    child.kill(kind.stopSignal);
    await exited;
    remove();
  });
  process.once('exit', () => child.kill(kind.stopSignal));
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await sleep(50)) {
    if (await answers(kind, url)) return url;
  }
  return undefined;
}

async function answers(kind: Kind, url: string): Promise<boolean> {
  try {
    await kind.greet(url);
    return true;
  } catch {
    return false;
  }
}

/** On the PATH, or where Debian keeps the programs of PostgreSQL. */
function find(program: string): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : [];
  const { PATH = '' } = process.env;
  return [...PATH.split(delimiter), ...versions].map((folder) => join(folder, program)).find((path) => existsSync(path));
}
