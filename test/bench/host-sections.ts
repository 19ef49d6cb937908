/** What a server with many users pays: flows that are parked, requests that meet an expired token, the journal. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import type { FetchLike } from '../../src/options.ts';
import { scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { median, timePerOperation } from './measure.ts';
import { authorizedClient, type BuiltPackage, ourFlow } from './our-client.ts';
import { withOwnRedis } from './own-redis.ts';
import type { ParkedFlows } from './parked-flows.ts';
import type { Figure } from './report.ts';

const run = promisify(execFile);
/**
 * Of the heap of a worker: some three times what is live. Without a limit V8 lets garbage lie as long as the machine has memory,
 * and the process has grown by what it happened to put off (up to 60 MB a run) and not by what it holds.
 */
const HEAP_MEGABYTES = 160;
const PARKED_FLOWS = fileURLToPath(new URL('parked-flows.ts', import.meta.url));

export interface HostEffort {
  readonly parkedFlows: number;
  /** Parked before memory is looked at: by then the heap has the size that the work itself needs. */
  readonly parkedBefore: number;
  readonly expiredRounds: number;
  readonly expiredRequests: number;
  readonly journalRounds: number;
  readonly journalFlows: number;
}

/** Each store in a process of its own. */
export async function measureParked(entry: string, effort: HostEffort): Promise<readonly Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-bench-'));
  const park = async (kind: 'sqlite' | 'redis', where: string): Promise<readonly Figure[]> => {
    const counts = [effort.parkedFlows, effort.parkedBefore].map(String);
    const node = ['--expose-gc', `--max-old-space-size=${HEAP_MEGABYTES}`];
    const args = [...node, PARKED_FLOWS, dirname(fileURLToPath(entry)), kind, where, ...counts];
    const { stdout } = await run(process.execPath, args);
    return figuresOf(JSON.parse(stdout) as ParkedFlows, kind === 'sqlite' ? 'SQLite' : 'Redis');
  };
  try {
    const sqlite = await park('sqlite', join(directory, 'flows.sqlite'));
    const redis = await withOwnRedis(directory, (url) => park('redis', url));
    if (redis === undefined) process.stderr.write('(Redis: put redis-server on the PATH) ');
    return [...sqlite, ...(redis ?? figuresOf({ ...NOT_MEASURED, flows: effort.parkedFlows }, 'Redis'))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const NOT_MEASURED = {
  mostMegabytes: Number.NaN,
  storeBytesPerFlow: Number.NaN,
  parkMs: Number.NaN,
  resumeOwnMs: Number.NaN,
  resumeStoreMs: Number.NaN,
};

function figuresOf(parked: Omit<ParkedFlows, 'leftMegabytes'>, store: string): readonly Figure[] {
  const name = `${parked.flows.toLocaleString('en')} flows parked in ${store}`;
  return [
    { name: `${name}: growth of the process, at most`, unit: 'MB', value: parked.mostMegabytes, atMost: 50 },
    { name: `${name}: of the store, each`, unit: 'kB', value: parked.storeBytesPerFlow / 1000, atMost: 3 },
    { name: `${name}: time to park one, of 16 at once`, unit: 'ms', value: parked.parkMs },
    { name: `${name}: resuming one, our own time`, unit: 'ms', value: parked.resumeOwnMs, atMost: 1 },
    { name: `${name}: resuming one, the store's time`, unit: 'ms', value: parked.resumeStoreMs },
  ];
}

const HOUR_MS = 3_600_000;

/** Many requests at once that meet an expired token, against as many with a good one and one refresh. */
export async function measureExpired(built: BuiltPackage, { expiredRequests, expiredRounds }: HostEffort): Promise<readonly Figure[]> {
  let passedMs = 0;
  const clock = { ...systemClock, now: () => Date.now() + passedMs };
  const servers = scriptedServers({ record: false, now: clock.now });
  let refreshes = 0;
  const watched: FetchLike = (input, init) => {
    if (urlOf(input).endsWith('/token')) refreshes += 1;
    return servers.fetch(input, init);
  };
  const bare: FetchLike = async () => new Response('{}');
  const isResource = (input: string | URL | Request): boolean => urlOf(input) === servers.resource.url;
  const client = await authorizedClient(
    built,
    { ...servers, fetch: watched },
    (input, init) => (isResource(input) ? bare : watched)(input, init),
    { clock, store: built.memoryStore({ clock }) },
  );
  const request = (): Promise<Response> => client.fetch(servers.resource.url, { method: 'POST', body: '{}' });
  const all = (): Promise<unknown> => Promise.all(Array.from({ length: expiredRequests }, request));
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    globalThis.gc?.();
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };

  const ratios: number[] = [];
  for (let round = -1; round < expiredRounds; round += 1) {
    const good = await timed(all);
    passedMs += HOUR_MS;
    const refresh = await timed(request);
    passedMs += HOUR_MS;
    refreshes = 0;
    const expired = await timed(all);
    if (refreshes !== 1) throw new Error(`${refreshes} refreshes for one expired token`);
    if (round >= 0) ratios.push(expired / (good + refresh));
  }
  await client.close();
  const name = `${expiredRequests.toLocaleString('en')} requests at once on an expired token, one refresh: time, against a good token and a refresh`;
  return [{ name, unit: '×', value: median(ratios), atMost: 1.2 }];
}

/** @param bare the same package, built without its journal */
export async function measureJournal(built: BuiltPackage, bare: BuiltPackage, effort: HostEffort): Promise<readonly Figure[]> {
  const flow = (of: BuiltPackage) => (): Promise<void> => ourFlow(of, scriptedServers({ record: false }));
  const contenders = [
    { name: 'with', run: flow(built) },
    { name: 'without', run: flow(bare) },
  ];
  const times = await timePerOperation(contenders, { rounds: effort.journalRounds, operations: effort.journalFlows });
  const lost = 1 - (times.get('without') ?? Number.NaN) / (times.get('with') ?? Number.NaN);
  return [{ name: 'whole flows that journalling costs, memory store', unit: '%', value: lost * 100, atMost: 25 }];
}

const urlOf = (input: string | URL | Request): string => (input instanceof Request ? input.url : String(input));
