import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MIGRATIONS, migrate } from '../../src/stores/sqlite-schema.ts';
import { type SqliteStore, sqliteStore } from '../../src/stores/sqlite-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

describe('SQLite store', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01, STO-02)`, async () => {
      const path = await databasePath();
      await run(() => {
        const clock = simulatedClock();
        const [store, second] = [sqliteStore({ path, clock }), sqliteStore({ path, clock })];
        return { store, second, advance: clock.advance, dispose: async () => void (await Promise.all([store.close(), second.close()])) };
      });
    });
  }

  it('keeps its records when it is closed, and opens again when it is used (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.close();
    await store.write('a', { n: 1 });
    await store.close();
    expect(await readdir(join(path, '..'))).toEqual(['records.db']);
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
  });

  it('finishes what was asked of it when it is closed meanwhile', async () => {
    const store = sqliteStore({ path: await databasePath() });
    const writes = [1, 2, 3].map((n) => store.write(`a/${n}`, { n }));
    await store.close();
    expect((await Promise.all(writes)).map(({ written }) => written)).toEqual([true, true, true]);
  });

  it('writes ahead, and on the disk before a write resolves (STO-02)', async () => {
    const path = await databasePath();
    await sqliteStore({ path }).write('a', { n: 1 });
    const database = opened(path);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(database.prepare('SELECT count(*) AS n FROM records').get()).toEqual({ n: 1 });
  });

  it('leaves nothing of a deleted value in its file (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('tokens/a', { accessToken: 'planted-secret', padding: 'x'.repeat(10_000) });
    await store.write('tokens/b', { accessToken: 'planted-secret' });
    await store.take('tokens/a');
    await store.write('tokens/b', {});
    await store.close();
    expect((await readFile(path)).includes('planted-secret')).toBe(false);
  });

  it('refuses a value that is not JSON without quoting it', async () => {
    const cyclic: { secret: string; self?: unknown } = { secret: 'planted-secret' };
    cyclic.self = cyclic;
    const refusal = await failureOf(sqliteStore({ path: await databasePath() }).write('a', cyclic as never));
    expect(refusal).toMatchObject({ code: 'store_failed' });
    expect(JSON.stringify(refusal)).not.toContain('planted-secret');
  });

  it('drops what has expired in bounded batches, and nothing else (STO-02)', async () => {
    const path = await databasePath();
    const clock = simulatedClock();
    const store = sqliteStore({ path, clock });
    await store.write('lasting', { n: 1 });
    for (let n = 0; n < 600; n += 1) await store.write(`state/${n}`, { n }, { expiresAtEpochMs: clock.now() + 1_000 });
    const lease = await store.acquireLease('a', 'owner', 1_000);
    await clock.advance(3_600_000);
    const left: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await store.write('next', { n }, { expiresAtEpochMs: clock.now() + 1_000 });
      left.push(Number(opened(path).prepare('SELECT count(*) AS n FROM records').get()?.['n']));
    }
    expect(left).toEqual([346, 90, 2, 2]);
    expect(opened(path).prepare('SELECT count(*) AS n FROM leases').get()).toEqual({ n: 0 });
    expect((await store.acquireLease('a', 'owner', 1_000))?.fence).toBeGreaterThan(lease?.fence ?? 0);
  });
});

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

  it('reports a full disk by its code, keeps what was there and works again afterwards (STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    await store.write('a', { n: 1 });
    // A trigger raises what the disk would: SQLite takes the error's number from it.
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

describe.runIf(process.platform !== 'win32')('SQLite store modes', () => {
  it('gives its files 0600 and the directory it makes 0700 (STO-02)', async () => {
    const directory = join(await temporaryDirectory(), 'deep', 'store');
    await sqliteStore({ path: join(directory, 'records.db') }).write('a', { n: 1 });
    expect(await modeOf(directory)).toBe(0o700);
    const names = await readdir(directory);
    expect(names.sort()).toEqual(['records.db', 'records.db-shm', 'records.db-wal']);
    for (const name of names) expect(await modeOf(join(directory, name))).toBe(0o600);
  });

  it('closes a database that was open to others (STO-02)', async () => {
    const path = await databasePath();
    const store = await withOneRecord(path);
    await chmod(path, 0o644);
    await store.write('a', { n: 2 });
    expect(await modeOf(path)).toBe(0o600);
  });

  it('leaves the directory it was given as it is', async () => {
    const directory = join(await temporaryDirectory(), 'project');
    await mkdir(directory);
    await chmod(directory, 0o755);
    await sqliteStore({ path: join(directory, 'records.db') }).write('a', { n: 1 });
    expect(await modeOf(directory)).toBe(0o755);
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

describe('migrations of a SQLite store', () => {
  const next = [...MIGRATIONS, 'ALTER TABLE records ADD COLUMN note TEXT'];

  it('run where they are missing, once, and keep what is there (STO-02)', async () => {
    const path = await databasePath();
    await withOneRecord(path);
    const database = opened(path);
    migrate(database, path, next);
    migrate(database, path, next);
    expect(database.prepare('SELECT key, note FROM records').all()).toEqual([{ key: 'a', note: null }]);
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: next.length });
  });

  it('happen as a whole or not at all (STO-02)', async () => {
    const path = await databasePath();
    const store = await withOneRecord(path);
    closing(path, (database) => expect(() => migrate(database, path, [...next, 'CREATE TABLE records (key TEXT)'])).toThrow());
    expect((await store.read('a'))?.value).toMatchObject({ accessToken: 'planted-secret' });
    expect(opened(path).prepare("SELECT 1 FROM pragma_table_info('records') WHERE name = 'note'").get()).toBeUndefined();
  });
});

async function databasePath(): Promise<string> {
  return join(await temporaryDirectory(), 'records.db');
}

/** Closed afterwards, so that everything is in the one file. */
async function withOneRecord(path: string, padding = ''): Promise<SqliteStore> {
  const store = sqliteStore({ path });
  await store.write('a', { accessToken: 'planted-secret', padding });
  await store.close();
  return store;
}

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

function opened(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

function closing(path: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(path);
  try {
    work(database);
  } finally {
    database.close();
  }
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing was reported',
    (thrown: { failure?: unknown }) => thrown.failure,
  );
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
