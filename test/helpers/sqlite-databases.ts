/** Databases of SQLite stores, made and looked at by hand. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { type SqliteStore, sqliteStore } from '../../src/stores/sqlite-store.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export async function databasePath(): Promise<string> {
  return join(await temporaryDirectory(), 'records.db');
}

/** Closed afterwards, so that everything is in the one file. */
export async function withOneRecord(path: string, padding = ''): Promise<SqliteStore> {
  const store = sqliteStore({ path });
  await store.write('a', { accessToken: 'planted-secret', padding });
  await store.close();
  return store;
}

export function opened(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

export function closing(path: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(path);
  try {
    work(database);
  } finally {
    database.close();
  }
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing was reported',
    (thrown: { failure?: unknown }) => thrown.failure,
  );
}

export async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
