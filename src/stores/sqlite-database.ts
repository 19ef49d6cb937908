/** The connection of a SQLite store: opened with care, and one transaction after the other. */
import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FailureError } from '../failure.ts';
import { errnoOf } from './file-errors.ts';
import { checkSchema, checkVersion, migrate, rollBack } from './sqlite-schema.ts';

const OPEN_TO_OTHERS = 0o077;

/**
 * SQLite itself waits this long for another process, and the whole program with it; a
 * transaction of ours takes a millisecond. Whoever has to wait longer does so without blocking.
 */
const BUSY_TIMEOUT_MS = 25;

const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL; -- a write that resolved outlasts a power failure,
  PRAGMA fullfsync = ON;     -- on macOS, too
  PRAGMA secure_delete = ON; -- what was deleted is overwritten: most of it was secret once
  PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;
`;

const IN_FORCE = '(expires_at_epoch_ms IS NULL OR expires_at_epoch_ms > ?)';
/** Expired rows one sweep drops, so that a write never waits long for it. */
export const ROWS_PER_SWEEP = 256;

const STATEMENTS = {
  schemaVersion: 'PRAGMA user_version',
  find: `SELECT value, version FROM records WHERE key = ? AND ${IN_FORCE}`,
  findVersion: `SELECT version FROM records WHERE key = ? AND ${IN_FORCE}`,
  put: `INSERT INTO records (key, version, value, expires_at_epoch_ms) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
    SET version = excluded.version, value = excluded.value, expires_at_epoch_ms = excluded.expires_at_epoch_ms`,
  remove: 'DELETE FROM records WHERE key = ?',
  sweepRecords: `DELETE FROM records WHERE rowid IN
    (SELECT rowid FROM records WHERE expires_at_epoch_ms <= ? ORDER BY expires_at_epoch_ms LIMIT ${ROWS_PER_SWEEP})`,
  findLease: 'SELECT owner, fence, ends_at_epoch_ms, duration_ms FROM leases WHERE key = ?',
  renewLease: 'UPDATE leases SET ends_at_epoch_ms = ?, duration_ms = ? WHERE fence = ?',
  dropLease: 'DELETE FROM leases WHERE key = ?',
  giveLease: 'INSERT INTO leases (key, owner, ends_at_epoch_ms, duration_ms) VALUES (?, ?, ?, ?)',
  endLease: 'DELETE FROM leases WHERE key = ? AND owner = ? AND fence = ?',
  sweepLeases: `DELETE FROM leases WHERE fence IN
    (SELECT fence FROM leases WHERE ends_at_epoch_ms <= ? ORDER BY ends_at_epoch_ms LIMIT ${ROWS_PER_SWEEP})`,
} as const;

type StatementName = keyof typeof STATEMENTS;
export type Statements = Readonly<Record<StatementName, StatementSync>>;

export interface Connection {
  /** All of `work` happens, or nothing of it if it throws. `read` sees one state of the database and changes nothing. */
  transaction<Result>(kind: 'read' | 'write', work: (statements: Statements) => Result): Result;
  close(): void;
}

/** A database that is damaged, newer or another program's is closed again as it was found. */
export async function openDatabase(path: string): Promise<Connection> {
  const { DatabaseSync } = await sqliteModule();
  await createClosedToOthers(path);
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    checkSchema(database, path);
    // SQLite gives the files beside it the same mode.
    await closeToOthers(path);
    database.exec(SETTINGS);
    migrate(database, path);
    return connectionOf(database, path);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function connectionOf(database: DatabaseSync, path: string): Connection {
  const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)] as const);
  const statements = Object.fromEntries(prepared) as Record<StatementName, StatementSync>;
  return {
    transaction(kind, work) {
      // The lock is taken at the beginning: a write that began as a read could not wait for another one.
      database.exec(kind === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE');
      try {
        checkVersion(statements.schemaVersion.get()?.['user_version'], path);
        const result = work(statements);
        database.exec('COMMIT');
        return result;
      } catch (thrown) {
        rollBack(database);
        throw thrown;
      }
    },
    close() {
      // SQLite reports what it could not tidy up; what was committed is safe.
      try {
        database.close();
      } catch {
        // The next one to open the database does it.
      }
    },
  };
}

/** Loaded when it is needed: some versions of Node print a warning when it is loaded, and older ones do not have it. */
async function sqliteModule(): Promise<typeof import('node:sqlite')> {
  try {
    return await import('node:sqlite');
  } catch {
    throw new FailureError('invalid_configuration', 'storage', {
      reason: `Node ${process.versions.node} has no node:sqlite; it is in Node 22.13 and later.`,
    });
  }
}

async function createClosedToOthers(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // SQLite would let everyone read it. It takes an empty file for a database without tables.
    await (await open(path, 'wx', 0o600)).close();
  } catch (thrown) {
    if (errnoOf(thrown) !== 'EEXIST') throw thrown;
  }
}

async function closeToOthers(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = await stat(file).then(
      (found) => found.mode,
      () => 0,
    );
    if ((mode & OPEN_TO_OTHERS) !== 0) await chmod(file, 0o600);
  }
}
