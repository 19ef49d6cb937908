/**
 * The tables of a SQLite store. `user_version` counts the migrations a database has
 * been through, `application_id` tells ours from those of other programs; both are
 * in the database's header and change in the same transaction as the tables.
 */
import type { DatabaseSync } from 'node:sqlite';
import { FailureError } from '../failure.ts';

/** "auth" in ASCII. */
const APPLICATION_ID = 0x61757468;

/** Only ever appended to: a released migration has run on somebody's database. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE records (
    key TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at_epoch_ms REAL
  ) STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at_epoch_ms) WHERE expires_at_epoch_ms IS NOT NULL;
  -- AUTOINCREMENT never gives a number again, also not after its row is gone: that is what a fence needs.
  CREATE TABLE leases (
    fence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    ends_at_epoch_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX leases_by_end ON leases (ends_at_epoch_ms);
  `,
  'ALTER TABLE leases ADD COLUMN duration_ms REAL;',
];

/**
 * Rejects a database of another program (`store_failed`) and one of a later version
 * (`record_unreadable`), reading only: it is called before anything else.
 */
export function checkSchema(database: DatabaseSync, path: string, migrations = MIGRATIONS): void {
  // One transaction, or another process could make the tables between two of these looks.
  database.exec('BEGIN');
  try {
    const applicationId = pragma(database, 'application_id');
    const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
    if (applicationId !== APPLICATION_ID && !(isEmpty && applicationId === 0)) {
      throw new FailureError('store_failed', 'storage', {
        reason: `The database ${path} belongs to another program; give the store a file of its own.`,
      });
    }
    checkVersion(pragma(database, 'user_version'), path, migrations);
  } finally {
    rollBack(database);
  }
}

/** Rejects a database that a later version has migrated (`record_unreadable`). */
export function checkVersion(version: unknown, path: string, migrations = MIGRATIONS): void {
  if (Number(version) <= migrations.length) return;
  throw new FailureError('record_unreadable', 'storage', {
    reason: `The database ${path} has schema version ${Number(version)}; this version of authchart knows ${migrations.length}.`,
    isNewer: true,
  });
}

/** Brings the tables to the newest version: all of the way, or not at all. */
export function migrate(database: DatabaseSync, path: string, migrations = MIGRATIONS): void {
  if (pragma(database, 'user_version') === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been quicker.
    const version = Number(pragma(database, 'user_version'));
    checkVersion(version, path, migrations);
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (thrown) {
    rollBack(database);
    throw thrown;
  }
}

/** SQLite has rolled back by itself after some errors. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // Then there is nothing left to roll back.
  }
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}
