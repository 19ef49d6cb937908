import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { inProcesses, killedAfter, PROCESSES } from '../helpers/processes.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const program = fileURLToPath(new URL('./sqlite-store-process.ts', import.meta.url));

describe('SQLite store among processes', () => {
  it('makes its database once and loses no update (STO-01, STO-02)', async () => {
    const path = await databasePath();
    await inProcesses(program, ['increment', path, '25']);
    expect((await sqliteStore({ path }).read('count'))?.value).toEqual({ count: PROCESSES * 25 });
  });

  it('gives each record to one of those that take it (STO-01, STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    const items = Array.from({ length: 40 }, (_, index) => index);
    for (const index of items) await store.write(`item/${index}`, { index });
    const taken = (await inProcesses(program, ['take', path, String(items.length)])) as number[][];
    expect(taken.flat().sort((a, b) => a - b)).toEqual(items);
  });

  it('never gives a fence twice (STO-01, STO-02)', async () => {
    const fences = ((await inProcesses(program, ['lease', await databasePath(), '10'])) as number[][]).flat();
    expect(new Set(fences).size).toBe(PROCESSES * 10);
  });

  it('is whole, unlocked and writable after a process was killed while it wrote (STO-02)', async () => {
    const path = await databasePath();
    for (let victim = 0; victim < 3; victim += 1) {
      await killedAfter(program, ['write', path], 8 + victim);
      const store = sqliteStore({ path });
      for (let n = 0; n < 4; n += 1) {
        expect((await store.read(`record/${n}`))?.value).toMatchObject({ text: 'x'.repeat(20_000) });
        await store.write(`record/${n}`, { text: 'x'.repeat(20_000), after: victim });
      }
      await store.close();
    }
    const database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });

  it('leases to another process when the lease of a killed one has run out, and not before (STO-02)', async () => {
    const path = await databasePath();
    await killedAfter(program, ['write', path], 1);
    const clock = simulatedClock(Date.now());
    const store = sqliteStore({ path, clock });
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toBeUndefined();
    await clock.advance(60_000);
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toMatchObject({ owner: 'successor' });
  });
});

async function databasePath(): Promise<string> {
  return join(await temporaryDirectory(), 'records.db');
}
