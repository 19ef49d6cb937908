/**
 * A store in PostgreSQL (13 or later), for any number of processes and machines. It
 * uses the client it is given, and neither connects nor closes it. Give it a pool, or
 * a connection that is in no transaction: what a transaction wrote, others see only
 * at its end, and not at all if it is rolled back.
 */
import { type Clock, systemClock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { JsonObject, Store, StoredRecord, WriteOptions, WriteResult } from './contract.ts';
import { jsonText } from './json-text.ts';
import { type PostgresClient, type Row, statementRunner } from './postgres-client.ts';
import { assertSchemaName, DEFAULT_SCHEMA, SCHEMA_VERSION } from './postgres-schema.ts';
import { postgresStatements } from './postgres-statements.ts';
import { remainingMs } from './remaining-time.ts';

export interface PostgresStoreOptions {
  /** A pool or client of `pg`, or the `sql` of `postgres`; made, connected and closed by whoever uses the store. */
  readonly client: PostgresClient;
  /** Where {@link migratePostgres} made the tables. Default `authchart`. */
  readonly schema?: string;
  /** The clock by which callers name instants; PostgreSQL is told durations and counts them by its own. Default: the system's. */
  readonly clock?: Clock;
}

/** A store sweeps after its first write and then after so many: fewer than a sweep deletes, so that nothing piles up. */
const WRITES_PER_SWEEP = 128;

/** Rejects with `store_failed` where PostgreSQL cannot do it, `record_unreadable` for a record or schema of a newer version. */
export function postgresStore({ client, schema = DEFAULT_SCHEMA, clock = systemClock }: PostgresStoreOptions): Store {
  assertSchemaName(schema);
  const statements = postgresStatements(schema);
  const runUnchecked = statementRunner(client, schema);
  let checked: Promise<void> | undefined;
  let writesUntilSweep = 1;

  const check = async (): Promise<void> => {
    const [row] = await runUnchecked(statements.schemaVersion, []);
    const version = Number(row?.['version']);
    const reason = `The schema "${schema}" has version ${version}, and this authchart knows version ${SCHEMA_VERSION}`;
    if (version > SCHEMA_VERSION) throw new FailureError('record_unreadable', 'storage', { reason: `${reason}.` });
    if (version < SCHEMA_VERSION) throw new FailureError('store_failed', 'storage', { reason: `${reason}: run migratePostgres once.` });
  };

  const run = async (text: string, values: (string | null)[]): Promise<Row | undefined> => {
    checked ??= check().catch((thrown: unknown) => {
      checked = undefined;
      throw thrown;
    });
    await checked;
    return (await runUnchecked(text, values))[0];
  };

  const sweepSometimes = async (): Promise<void> => {
    writesUntilSweep -= 1;
    if (writesUntilSweep > 0) return;
    writesUntilSweep = WRITES_PER_SWEEP;
    // The caller's own work is done; what could not be swept is swept later.
    await runUnchecked(statements.sweepRecords, []).catch(() => undefined);
    await runUnchecked(statements.sweepLeases, []).catch(() => undefined);
  };

  const write = async (key: string, value: JsonObject, { expected, expiresAtEpochMs }: WriteOptions): Promise<WriteResult> => {
    const version = crypto.randomUUID();
    const lives = remainingMs(expiresAtEpochMs, clock.now());
    const values = [key, version, jsonText(value), lives === undefined ? null : String(lives)];
    const row =
      typeof expected === 'string'
        ? await run(statements.replace, [...values, expected])
        : await run(expected === null ? statements.create : statements.write, values);
    assertReadable(row);
    return row?.['version'] === version ? { written: true, version } : { written: false, current: recordOf(row) };
  };

  return {
    async read(key) {
      return recordOf(await run(statements.read, [key]));
    },

    async write(key, value, options = {}) {
      const result = await write(key, value, options);
      // Only what expires makes a table grow without its user noticing.
      if (options.expiresAtEpochMs !== undefined) await sweepSometimes();
      return result;
    },

    async delete(key, { expected } = {}) {
      return recordOf(await run(statements.remove, [key, expected ?? null])) !== undefined;
    },

    async take(key) {
      return recordOf(await run(statements.remove, [key, null]));
    },

    async acquireLease(key, owner, durationMs) {
      // Counted from before the question: the owner believes in its lease no longer than PostgreSQL does.
      const askedAtEpochMs = clock.now();
      const row = await run(statements.acquire, [key, owner, String(Math.ceil(durationMs))]);
      if (row === undefined) return undefined;
      return { key, owner, fence: Number(row['fence']), expiresAtEpochMs: askedAtEpochMs + durationMs };
    },

    async releaseLease({ key, owner, fence }) {
      await run(statements.release, [key, owner, String(fence)]);
    },
  };
}

function assertReadable(row: Row | undefined): void {
  if (row === undefined || row['format'] === '1') return;
  throw new FailureError('record_unreadable', 'storage', { reason: 'The record in PostgreSQL has a newer format.', isNewer: true });
}

function recordOf(row: Row | undefined): StoredRecord | undefined {
  assertReadable(row);
  const { version, value, live } = row ?? {};
  if (live !== 'true' || typeof version !== 'string' || typeof value !== 'string') return undefined;
  return { value: JSON.parse(value) as JsonObject, version };
}
