/**
 * A store in one SQLite database, shared by any number of processes of one machine,
 * on the module that comes with Node (22.13 and later): for very many records, where
 * one file each would be slow. A write is on the disk before it resolves.
 *
 * A database that is damaged or was written by a later version is reported as
 * `record_unreadable`, whatever else goes wrong as `store_failed` with SQLite's
 * code; nothing is repaired, replaced or deleted. Do not delete or replace the file
 * while it is in use, and keep it off network file systems: SQLite needs their locks.
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { JsonObject, Store, StoredRecord } from './contract.ts';
import { jsonText } from './json-text.ts';
import { correctedEnd } from './lease-end.ts';
import { patientConnection } from './sqlite-connection.ts';
import { ROWS_PER_SWEEP, type Statements } from './sqlite-database.ts';

export interface SqliteStore extends Store {
  /** Closes the database; the next operation opens it again. */
  close(): Promise<void>;
}

const SWEEP_EVERY_MS = 60_000;
/**
 * `path` names the database file, made with mode 0600 when it is first used, its
 * directories with 0700 where they are missing; SQLite keeps two more files beside
 * it. `clock` decides what has expired.
 */
export function sqliteStore(options: { readonly path: string; readonly clock?: Clock }): SqliteStore {
  const clock = options.clock ?? systemClock;
  const path = resolve(options.path);
  const { transaction, close } = patientConnection(path);
  let sweepAtEpochMs = 0;

  const sweepSometimes = (statements: Statements): void => {
    const nowEpochMs = clock.now();
    if (nowEpochMs < sweepAtEpochMs) return;
    const records = statements.sweepRecords.run(nowEpochMs).changes;
    const leases = statements.sweepLeases.run(nowEpochMs).changes;
    const isMoreLeft = Math.max(Number(records), Number(leases)) === ROWS_PER_SWEEP;
    sweepAtEpochMs = isMoreLeft ? nowEpochMs : nowEpochMs + SWEEP_EVERY_MS;
  };

  const find = (statements: Statements, key: string): StoredRecord | undefined => {
    const row = statements.find.get(key, clock.now());
    return row && { value: parsed(row['value'], path), version: String(row['version']) };
  };
  const findVersion = (statements: Statements, key: string): string | undefined => {
    const row = statements.findVersion.get(key, clock.now());
    return row && String(row['version']);
  };

  return {
    read: (key) => transaction('read', (statements) => find(statements, key)),

    async write(key, value, { expected, expiresAtEpochMs } = {}) {
      const json = jsonText(value);
      const version = randomUUID();
      return transaction('write', (statements) => {
        if (expected !== undefined && expected !== (findVersion(statements, key) ?? null)) {
          return { written: false, current: find(statements, key) };
        }
        // Only what expires makes a database grow without its user noticing.
        if (expiresAtEpochMs !== undefined) sweepSometimes(statements);
        statements.put.run(key, version, json, expiresAtEpochMs ?? null);
        return { written: true, version };
      });
    },

    delete: (key, { expected } = {}) =>
      transaction('write', (statements) => {
        const version = findVersion(statements, key);
        if (version === undefined || (expected !== undefined && expected !== version)) return false;
        statements.remove.run(key);
        return true;
      }),

    take: (key) =>
      transaction('write', (statements) => {
        const record = find(statements, key);
        if (record !== undefined) statements.remove.run(key);
        return record;
      }),

    acquireLease: (key, owner, durationMs) =>
      transaction('write', (statements) => {
        const nowEpochMs = clock.now();
        const expiresAtEpochMs = nowEpochMs + durationMs;
        const held = statements.findLease.get(key);
        if (held !== undefined && Number(held['ends_at_epoch_ms']) > nowEpochMs) {
          const fence = Number(held['fence']);
          if (held['owner'] !== owner) {
            const givenForMs = Number(held['duration_ms'] ?? Number.POSITIVE_INFINITY);
            const sooner = correctedEnd({ expiresAtEpochMs: Number(held['ends_at_epoch_ms']), durationMs: givenForMs }, nowEpochMs);
            if (sooner !== undefined) statements.renewLease.run(sooner, givenForMs, fence);
            return undefined;
          }
          statements.renewLease.run(expiresAtEpochMs, durationMs, fence);
          return { key, owner, fence, expiresAtEpochMs };
        }
        sweepSometimes(statements);
        statements.dropLease.run(key);
        const fence = Number(statements.giveLease.run(key, owner, expiresAtEpochMs, durationMs).lastInsertRowid);
        return { key, owner, fence, expiresAtEpochMs };
      }),

    releaseLease: ({ key, owner, fence }) => transaction('write', (statements) => void statements.endLease.run(key, owner, fence)),

    close,
  };
}

/** What was changed by hand is left as it is, and reported without quoting it. */
function parsed(json: unknown, path: string): JsonObject {
  try {
    const value: unknown = JSON.parse(String(json));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // The message would quote the text.
  }
  throw new FailureError('record_unreadable', 'storage', { reason: `(in ${path})` });
}
