/**
 * A store in Redis (7 or later, and what speaks its protocol and Lua), for any
 * number of processes and machines. It uses the client it is given, and neither
 * connects nor closes it.
 *
 * Every operation is one script on one key: atomic, and at home in a cluster without
 * hash tags. A prefix with a hash tag (`authchart:{tenant}:`) puts all records
 * under it on one node.
 *
 * How long a call waits for a lost connection is up to the client. Set it up so that
 * commands fail instead of queueing for ever: `disableOfflineQueue` of redis,
 * `maxRetriesPerRequest` of ioredis.
 */
import { type Clock, systemClock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { JsonObject, Store, StoredRecord } from './contract.ts';
import { jsonText } from './json-text.ts';
import { type RedisClient, scriptRunner } from './redis-client.ts';
import { REDIS_SCRIPTS } from './redis-scripts.ts';
import { remainingMs } from './remaining-time.ts';

export interface RedisStoreOptions {
  /** Of `redis`, `ioredis`, or a function that sends a command; connected by whoever made it. */
  readonly client: RedisClient;
  /** What all keys of this store begin with. Default `authchart:`. */
  readonly prefix?: string;
  /** The clock by which callers name instants; Redis is told durations and counts them by its own. Default: the system's. */
  readonly clock?: Clock;
}

/** Rejects with `store_failed` where Redis cannot do it, `record_unreadable` for a record that is damaged, newer or not ours. */
export function redisStore({ client, prefix = 'authchart:', clock = systemClock }: RedisStoreOptions): Store {
  const run = scriptRunner(client);
  const recordKey = (key: string): string => `${prefix}record:${key}`;
  const leaseKey = (key: string): string => `${prefix}lease:${key}`;

  return {
    async read(key) {
      return recordOf(await run(REDIS_SCRIPTS.read, recordKey(key), []));
    },

    async write(key, value, { expected, expiresAtEpochMs } = {}) {
      const json = jsonText(value);
      const version = crypto.randomUUID();
      const livesMs = remainingMs(expiresAtEpochMs, clock.now());
      const condition = expected === undefined ? ['any'] : expected === null ? ['absent'] : ['version', expected];
      const [outcome, ...current] = await run(REDIS_SCRIPTS.write, recordKey(key), [
        version,
        json,
        livesMs === undefined ? '' : String(livesMs),
        ...condition,
      ]);
      if (outcome === 'written') return { written: true, version };
      assertReadable(outcome);
      return { written: false, current: recordOf(current) };
    },

    async delete(key, { expected } = {}) {
      const [outcome] = await run(REDIS_SCRIPTS.remove, recordKey(key), expected === undefined ? ['any'] : ['version', expected]);
      assertReadable(outcome);
      return outcome === 'deleted';
    },

    async take(key) {
      return recordOf(await run(REDIS_SCRIPTS.take, recordKey(key), []));
    },

    async acquireLease(key, owner, durationMs) {
      // Counted from before the question: the owner believes in its lease no longer than Redis does.
      const askedAtEpochMs = clock.now();
      const [outcome, fence] = await run(REDIS_SCRIPTS.acquire, leaseKey(key), [owner, String(Math.ceil(durationMs))]);
      assertReadable(outcome);
      if (outcome !== 'leased') return undefined;
      return { key, owner, fence: Number(fence), expiresAtEpochMs: askedAtEpochMs + durationMs };
    },

    async releaseLease({ key, owner, fence }) {
      const [outcome] = await run(REDIS_SCRIPTS.release, leaseKey(key), [owner, String(fence)]);
      assertReadable(outcome);
    },
  };
}

function assertReadable(state: string | undefined): void {
  if (state !== 'damaged' && state !== 'newer') return;
  const reason = state === 'newer' ? 'The record in Redis has a newer format.' : 'The record in Redis is damaged.';
  throw new FailureError('record_unreadable', 'storage', { reason, ...(state === 'newer' && { isNewer: true }) });
}

function recordOf([state, version, json]: readonly string[]): StoredRecord | undefined {
  assertReadable(state);
  if (state !== 'found' || version === undefined || json === undefined) return undefined;
  return { value: JSON.parse(json) as JsonObject, version };
}
