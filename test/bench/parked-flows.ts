/**
 * Parks flows that wait for their users through a host, in a process of its own so that nothing else is in
 * its memory, and prints what that took as JSON. Run by `host-sections.ts`, with `--expose-gc`:
 *
 *     node --expose-gc test/bench/parked-flows.ts <directory of the built package> <sqlite or redis> <where> <flows> <flows before>
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from 'redis';
import type { AuthorizationHost } from '../../src/host.ts';
import type { Store } from '../../src/stores/contract.ts';
import { scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { median } from './measure.ts';
import { type TimedStore, timedStore } from './timed-store.ts';

export interface ParkedFlows {
  readonly flows: number;
  /** Growth of the process's resident memory: the most that was seen, and what was left at the end. */
  readonly mostMegabytes: number;
  readonly leftMegabytes: number;
  readonly storeBytesPerFlow: number;
  /** Median of a flow loaded until it waits for its user again: our part, and the store's. */
  readonly resumeOwnMs: number;
  readonly resumeStoreMs: number;
  readonly parkMs: number;
}

const REDIRECT_URI = 'https://app.example.com/callback';
const CLIENT_METADATA_URL = 'https://app.example.com/client.json';
const LANES = 16;
const MAX_CLIENTS = 200;
const RESUMED_FLOWS = 1_000;

const [, , directory = '', kind = '', where = '', count = '', before = ''] = process.argv;
const load = (file: string) => import(pathToFileURL(join(directory, file)).href);
const { createAuthorizationHost } = (await load('index.js')) as typeof import('../../src/index.ts');

interface Place {
  readonly store: Store;
  bytes(): Promise<number>;
  close(): Promise<unknown>;
}

async function sqlitePlace(path: string): Promise<Place> {
  const { sqliteStore } = (await load('node.js')) as typeof import('../../src/node.ts');
  const store = sqliteStore({ path });
  const { DatabaseSync } = await import('node:sqlite');
  const bytes = async (): Promise<number> => {
    // What is still in the log is brought into the file first.
    const database = new DatabaseSync(path);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    return statSync(path).size;
  };
  return { store, bytes, close: async () => store.close() };
}

async function redisPlace(url: string): Promise<Place> {
  const { redisStore } = (await load('redis.js')) as typeof import('../../src/redis.ts');
  const client = createClient({ url });
  await client.connect();
  const bytes = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  return { store: redisStore({ client }), bytes, close: () => client.close() };
}

const place = kind === 'sqlite' ? await sqlitePlace(where) : await redisPlace(where);
const timed = timedStore(place.store);
// With a metadata document the servers remember nothing of a flow that only waits.
const servers = scriptedServers({ record: false, authorizationServer: { metadataDocuments: true } });

const newHost = (): AuthorizationHost =>
  createAuthorizationHost({
    store: timed.store,
    redirectUri: REDIRECT_URI,
    identify: () => undefined,
    clientMetadataUrl: CLIENT_METADATA_URL,
    fetch: servers.fetch,
    // The servers are in this process: no name leads to them.
    serverUrls: { resolve: async () => ['8.8.8.8'] },
    maxClients: MAX_CLIENTS,
    idleMs: 1_000,
    // Parking all of them takes longer than a user may take.
    limits: { userDeadlineMs: 24 * 3_600_000 },
  });

async function wait(host: AuthorizationHost, index: number): Promise<void> {
  const { step } = await host.client({ resource: servers.resource.url, account: `user-${index}` }).beginAuthorization();
  if (step !== 'awaiting-user') throw new Error(`the flow is at ${step}`);
}

let most = 0;
async function park(host: AuthorizationHost, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const index = next++;
      await wait(host, index);
      if (index % 500 === 0) most = Math.max(most, process.memoryUsage.rss());
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function settledMemory(host: AuthorizationHost): Promise<number> {
  while (host.loadedClients > 0) await sleep(100);
  for (let times = 0; times < 4; times += 1) globalThis.gc?.();
  return process.memoryUsage.rss();
}

async function resume(own: TimedStore): Promise<{ ownMs: number; storeMs: number }> {
  const host = newHost();
  const ownMs: number[] = [];
  const storeMs: number[] = [];
  for (let index = 0; index < Math.min(RESUMED_FLOWS, flows); index += 1) {
    const before = own.busyMs();
    const startedAt = performance.now();
    await wait(host, index);
    const store = own.busyMs() - before;
    ownMs.push(performance.now() - startedAt - store);
    storeMs.push(store);
  }
  await host.close();
  return { ownMs: median(ownMs), storeMs: median(storeMs) };
}

const flows = Number(count);
const host = newHost();
await park(host, flows, flows + Number(before));
const memoryBefore = await settledMemory(host);
const bytesBefore = await place.bytes();
most = 0;
const startedAt = performance.now();
await park(host, 0, flows);
const parkMs = (performance.now() - startedAt) / flows;
const memoryAfter = await settledMemory(host);
const bytes = (await place.bytes()) - bytesBefore;
await host.close();
const { ownMs, storeMs } = await resume(timed);
await place.close();

const megabytes = (grown: number): number => grown / 1_000_000;
const result: ParkedFlows = {
  flows,
  mostMegabytes: megabytes(Math.max(most, memoryAfter) - memoryBefore),
  leftMegabytes: megabytes(memoryAfter - memoryBefore),
  storeBytesPerFlow: bytes / flows,
  resumeOwnMs: ownMs,
  resumeStoreMs: storeMs,
  parkMs,
};
console.log(JSON.stringify(result));
