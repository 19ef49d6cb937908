import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sqliteFailure } from '../../src/stores/sqlite-errors.ts';
import { MIGRATIONS } from '../../src/stores/sqlite-schema.ts';
import { type SqliteStore, sqliteStore } from '../../src/stores/sqlite-store.ts';
import { closing, databasePath, failureOf, modeOf, opened, withOneRecord } from '../helpers/sqlite-databases.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

describe('SQLite store beside others', () => {
  it('waits for another process without stopping this one (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('a', { n: 1 });
    const other = opened(path);
    other.exec('BEGIN IMMEDIATE');
    const writing = store.write('a', { n: 2 });
    // Reading needs no lock, and this line would not be reached if the wait blocked.
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    other.exec('COMMIT');
    expect((await writing).written).toBe(true);
  });

  it('reports a database that stays locked, by its code, and works afterwards (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('a', { n: 1 });
    const other = opened(path);
    other.exec('BEGIN IMMEDIATE');
    const failure = await failureOf(store.write('a', { token: 'planted-secret' }));
    expect(failure).toMatchObject({ code: 'store_failed', retryable: true, details: { reason: `(SQLITE_BUSY in ${path})` } });
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
    other.exec('COMMIT');
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    expect((await store.write('a', { n: 2 })).written).toBe(true);
  });

  it('reports an error of SQLite by its code, keeps what was there and works again afterwards (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('a', { n: 1 });
    // Error texts can quote what was to be stored.
    const other = opened(path);
    other.exec("CREATE TRIGGER fails BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'planted-secret'); END");
    const failure = await failureOf(store.write('a', { token: 'planted-secret' }));
    expect(failure).toMatchObject({ code: 'store_failed', details: { reason: `(SQLITE_CONSTRAINT in ${path})` } });
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
    other.exec('DROP TRIGGER fails');
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    expect((await store.write('a', { n: 2 })).written).toBe(true);
  });

  it('reports a place where no file can be', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    const path = join(directory, 'file', 'records.db');
    expect(await failureOf(sqliteStore({ path }).read('a'))).toMatchObject({ code: 'store_failed' });
    expect(await failureOf(sqliteStore({ path: directory }).read('a'))).toMatchObject({
      details: { reason: `(SQLITE_CANTOPEN in ${directory})` },
    });
  });
});

const unreadable = { code: 'record_unreadable', phase: 'storage', retryable: false };

describe('SQLite store and databases that cannot be read', () => {
  it('reports a database cut to any page, or that is none, and leaves it untouched (STO-02, STO-05)', async () => {
    const path = await databasePath();
    const store = await withOneRecord(path, 'x'.repeat(20_000));
    const whole = await readFile(path);
    const damaged = [
      Buffer.from('hello'),
      whole.subarray(0, 10),
      Buffer.alloc(4_096, 7),
      Buffer.concat([Buffer.alloc(16), whole.subarray(16)]),
    ];
    for (let length = 4_096; length < whole.length; length += 4_096) damaged.push(whole.subarray(0, length));
    for (const bytes of damaged) {
      await writeFile(path, bytes);
      for (const operation of operations(store)) expect(await failureOf(operation())).toMatchObject(unreadable);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    }
    await writeFile(path, whole);
    expect((await store.read('a'))?.value).toMatchObject({ accessToken: 'planted-secret' });
  });

  it('reports a database of a later version every time, and leaves it untouched (STO-05)', async () => {
    const path = await databasePath();
    const store = await withOneRecord(path);
    closing(path, (database) => database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`));
    const before = await readFile(path);
    for (const operation of operations(store)) {
      const failure = await failureOf(operation());
      expect(failure).toMatchObject({ ...unreadable, details: { reason: expect.stringContaining(`version ${MIGRATIONS.length + 1}`) } });
    }
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('stops using a database that a later version migrates meanwhile (STO-05)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('a', { n: 1 });
    opened(path).exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    for (const operation of operations(store)) expect(await failureOf(operation())).toMatchObject(unreadable);
  });

  it('refuses the database of another program, and leaves it untouched', async () => {
    const path = await databasePath();
    closing(path, (database) => database.exec('CREATE TABLE bookmarks (url TEXT)'));
    await chmod(path, 0o644);
    const before = await readFile(path);
    expect(await failureOf(sqliteStore({ path }).write('a', {}))).toMatchObject({
      code: 'store_failed',
      details: { reason: expect.stringContaining('another program') },
    });
    expect((await readFile(path)).equals(before)).toBe(true);
    expect(await modeOf(path)).toBe(0o644);
  });

  it.each(['{"accessToken":"planted-secret', '"planted-secret"', ''])(
    'reports a value that was changed by hand to %j, leaves it, and lets it be replaced',
    async (json) => {
      const path = await databasePath();
      const store = sqliteStore({ path });
      await store.write('a', { n: 1 });
      opened(path).prepare('UPDATE records SET value = ?').run(json);
      for (const operation of [() => store.read('a'), () => store.take('a'), () => store.write('a', {}, { expected: null })]) {
        const failure = await failureOf(operation());
        expect(failure).toMatchObject(unreadable);
        expect(JSON.stringify(failure)).not.toContain('planted-secret');
      }
      expect(opened(path).prepare('SELECT value FROM records').get()).toEqual({ value: json });
      await store.write('a', { n: 2 });
      expect((await store.read('a'))?.value).toEqual({ n: 2 });
    },
  );
});

describe('errors of SQLite', () => {
  it.each([
    [13, 'store_failed', 'SQLITE_FULL'],
    [10 | (4 << 8), 'store_failed', 'SQLITE_IOERR'],
    [8 | (1 << 8), 'store_failed', 'SQLITE_READONLY'],
    [99, 'store_failed', 'SQLITE_99'],
    [11 | (3 << 8), 'record_unreadable', 'SQLITE_CORRUPT'],
    [26, 'record_unreadable', 'SQLITE_NOTADB'],
  ])('of number %i become %s with %s and nothing else of theirs (STO-02)', (errcode, code, name) => {
    const thrown = Object.assign(new Error('planted-secret'), { code: 'ERR_SQLITE_ERROR', errcode, errstr: 'planted-secret' });
    const failure = sqliteFailure(thrown, '/records.db');
    expect(failure.failure).toMatchObject({ code, phase: 'storage', details: { reason: expect.stringContaining(`${name}`) } });
    expect(JSON.stringify(failure.failure) + failure.stack).not.toContain('planted-secret');
    expect(failure.cause).toBeUndefined();
  });
});

function operations(store: SqliteStore) {
  return [
    () => store.read('a'),
    () => store.write('a', {}),
    () => store.write('a', {}, { expected: null }),
    () => store.take('a'),
    () => store.delete('a'),
    () => store.acquireLease('a', 'owner', 1_000),
  ];
}
