import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS, migrate } from '../../src/stores/sqlite-schema.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { closing, databasePath, failureOf, modeOf, opened, withOneRecord } from '../helpers/sqlite-databases.ts';
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
