/**
 * A store in the browser's IndexedDB, shared by all tabs, windows and workers of one
 * origin. A write is on the disk before it resolves; changes are told to other tabs
 * by BroadcastChannel; a lease whose tab was closed or has crashed is free at once,
 * by Web Locks, and otherwise soon, by its expiry.
 *
 * Values are stored as they are: any script of the origin can read them, and so can
 * whoever reads the browser's profile. See docs/browser.md for what that means.
 */
import { type Clock, systemClock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import { changeChannel } from './change-channel.ts';
import type { JsonObject, Lease, Store, StoredRecord } from './contract.ts';
import { indexedDbConnection, type LeaseRow, type RecordRow, type Transaction } from './indexeddb-connection.ts';
import { jsonText } from './json-text.ts';
import { pagePresence } from './page-presence.ts';

export interface IndexedDbStore extends Store {
  watch(key: string, listener: () => void): () => void;
  /** Closes the database and the channel; the next operation opens them again. */
  close(): Promise<void>;
}

type Write = Transaction<'records', 'readwrite'>;
type LeaseWrite = Transaction<'leases' | 'counters', 'readwrite'>;

const SWEEP_EVERY_MS = 60_000;
/** Expired rows one sweep drops, so that a write never waits long for it. */
const ROWS_PER_SWEEP = 256;

/**
 * `name`: of the database; stores of the same name share their records. Default
 * `authchart`. `clock` decides what has expired.
 *
 * Operations reject with `store_failed` where the browser offers no IndexedDB, refuses
 * it (blocked site data, some private windows), has no room left or has lost the
 * database, and with `record_unreadable` for what is damaged, or was changed by a page
 * with a newer version. Nothing is repaired or deleted.
 */
export function indexedDbStore(options: { readonly name?: string; readonly clock?: Clock } = {}): IndexedDbStore {
  const { name = 'authchart', clock = systemClock } = options;
  const { transaction, close } = indexedDbConnection(name, clock);
  const presence = pagePresence(`authchart ${name} page `);
  const changes = changeChannel(`authchart ${name}`);
  /** Leases of this page, by fence: as long as there are any, its presence is kept. */
  const held = new Set<number>();
  const sweepAtEpochMs = { records: 0, leases: 0 };

  const sweepSometimes = async (tx: Write | LeaseWrite, table: 'records' | 'leases'): Promise<void> => {
    const nowEpochMs = clock.now();
    if (nowEpochMs < sweepAtEpochMs[table]) return;
    sweepAtEpochMs[table] = nowEpochMs + SWEEP_EVERY_MS;
    const rows = (tx as Transaction<'records' | 'leases', 'readwrite'>).objectStore(table);
    const expired = await rows.index('expiry').getAllKeys(IDBKeyRange.upperBound(nowEpochMs), ROWS_PER_SWEEP);
    await Promise.all(expired.map((key) => rows.delete(key)));
    if (expired.length === ROWS_PER_SWEEP) sweepAtEpochMs[table] = nowEpochMs;
  };

  const find = async (tx: Transaction<'records', 'readonly' | 'readwrite'>, key: string): Promise<RecordRow | undefined> => {
    const row = await tx.objectStore('records').get(key);
    return row?.expiresAtEpochMs !== undefined && row.expiresAtEpochMs <= clock.now() ? undefined : row;
  };

  const recordOf = (row: RecordRow | undefined): StoredRecord | undefined =>
    row && { value: parsed(row.json, name), version: String(row.version) };

  /** `gone`: a presence that is known to be over, with the leases it held. */
  const tryLease = async (
    tx: LeaseWrite,
    wanted: { readonly key: string; readonly owner: string; readonly durationMs: number },
    { here, gone }: { readonly here: string | undefined; readonly gone: string | undefined },
  ): Promise<{ readonly lease: Lease } | { readonly heldBy: LeaseRow }> => {
    const { key, owner, durationMs } = wanted;
    const leases = tx.objectStore('leases');
    const row = await leases.get(key);
    const nowEpochMs = clock.now();
    const isRunning = row !== undefined && row.expiresAtEpochMs > nowEpochMs;
    const isOrphan = row?.presence !== undefined && row.presence === gone;
    if (isRunning && row.owner !== owner && !isOrphan) return { heldBy: row };
    const isRenewal = isRunning && row.owner === owner;
    if (!isRenewal) await sweepSometimes(tx, 'leases');
    const fence = isRenewal ? row.fence : await nextFence(tx, nowEpochMs);
    const lease: Lease = { key, owner, fence, expiresAtEpochMs: nowEpochMs + durationMs };
    await leases.put({ ...lease, ...(here !== undefined && { presence: here }) });
    return { lease };
  };

  const acquire = async (key: string, owner: string, durationMs: number): Promise<Lease | undefined> => {
    const here = await presence.begin();
    let isHeld = false;
    try {
      for (let gone: string | undefined; ; ) {
        const tried = await transaction(['leases', 'counters'], 'readwrite', (tx) =>
          tryLease(tx, { key, owner, durationMs }, { here, gone }),
        );
        if ('lease' in tried) {
          isHeld = !held.has(tried.lease.fence);
          held.add(tried.lease.fence);
          return tried.lease;
        }
        const { presence: theirs } = tried.heldBy;
        if (theirs === undefined || theirs === here || (await presence.isThere(theirs))) return undefined;
        gone = theirs;
      }
    } finally {
      // A lease that was renewed counts once.
      if (!isHeld) presence.end();
    }
  };

  return {
    read: async (key) => recordOf(await transaction(['records'], 'readonly', (tx) => find(tx, key))),

    async write(key, value, { expected, expiresAtEpochMs } = {}) {
      const json = jsonText(value);
      const version = crypto.randomUUID();
      const refused = await transaction(['records'], 'readwrite', async (tx) => {
        const row = expected === undefined ? undefined : await find(tx, key);
        if (expected !== undefined && expected !== (row?.version ?? null)) return { current: row };
        // Only what expires makes a database grow without its user noticing.
        if (expiresAtEpochMs !== undefined) await sweepSometimes(tx, 'records');
        await tx.objectStore('records').put({ key, version, json, ...(expiresAtEpochMs !== undefined && { expiresAtEpochMs }) });
        return undefined;
      });
      if (refused !== undefined) return { written: false, current: recordOf(refused.current) };
      changes.tell(key);
      return { written: true, version };
    },

    async delete(key, { expected } = {}) {
      const isDeleted = await transaction(['records'], 'readwrite', async (tx) => {
        const row = await find(tx, key);
        if (row === undefined || (expected !== undefined && expected !== row.version)) return false;
        await tx.objectStore('records').delete(key);
        return true;
      });
      if (isDeleted) changes.tell(key);
      return isDeleted;
    },

    async take(key) {
      const taken = await transaction(['records'], 'readwrite', async (tx) => {
        // Read before it is deleted: a damaged one stays where it is.
        const record = recordOf(await find(tx, key));
        if (record !== undefined) await tx.objectStore('records').delete(key);
        return record;
      });
      if (taken !== undefined) changes.tell(key);
      return taken;
    },

    acquireLease: acquire,

    async releaseLease({ key, owner, fence }) {
      try {
        const isReleased = await transaction(['leases'], 'readwrite', async (tx) => {
          const leases = tx.objectStore('leases');
          const row = await leases.get(key);
          if (row?.fence !== fence || row.owner !== owner) return false;
          await leases.delete(key);
          return true;
        });
        if (isReleased) changes.tell(key);
      } finally {
        // Also if it failed: without this page's presence the lease is as good as released.
        if (held.delete(fence)) presence.end();
      }
    },

    watch: changes.watch,

    async close() {
      changes.close();
      await close();
    },
  };
}

/** At least the time: it goes on growing where the browser has thrown the database away and a page lives on. */
async function nextFence(tx: LeaseWrite, nowEpochMs: number): Promise<number> {
  const counters = tx.objectStore('counters');
  const fence = Math.max(((await counters.get('fence')) ?? 0) + 1, Math.floor(nowEpochMs));
  await counters.put(fence, 'fence');
  return fence;
}

/** What was changed by hand is left as it is, and reported without quoting it. */
function parsed(json: unknown, database: string): JsonObject {
  try {
    const value: unknown = JSON.parse(String(json));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // The message would quote the text.
  }
  throw new FailureError('record_unreadable', 'storage', { reason: `(in the database ${database})` });
}
