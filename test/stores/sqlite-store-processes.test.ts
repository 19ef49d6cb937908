import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const PROCESSES = 4;
const program = fileURLToPath(new URL('./sqlite-store-process.ts', import.meta.url));

describe('SQLite store among processes', () => {
  it('makes its database once and loses no update (STO-01, STO-02)', async () => {
    const path = await databasePath();
    await inProcesses(['increment', path, '25']);
    expect((await sqliteStore({ path }).read('count'))?.value).toEqual({ count: PROCESSES * 25 });
  });

  it('gives each record to one of those that take it (STO-01, STO-02)', async () => {
    const path = await databasePath();
    const store = sqliteStore({ path });
    const items = Array.from({ length: 40 }, (_, index) => index);
    for (const index of items) await store.write(`item/${index}`, { index });
    const taken = (await inProcesses(['take', path, String(items.length)])) as number[][];
    expect(taken.flat().sort((a, b) => a - b)).toEqual(items);
  });

  it('never gives a fence twice (STO-01, STO-02)', async () => {
    const fences = ((await inProcesses(['lease', await databasePath(), '10'])) as number[][]).flat();
    expect(new Set(fences).size).toBe(PROCESSES * 10);
  });

  it('is whole, unlocked and writable after a process was killed while it wrote (STO-02)', async () => {
    const path = await databasePath();
    for (let victim = 0; victim < 3; victim += 1) {
      await killedWhileItWrote(path, 8 + victim);
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
    await killedWhileItWrote(path, 1);
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

async function killedWhileItWrote(path: string, writes: number): Promise<void> {
  const child = await started(['write', path]);
  child.send('go');
  for (let seen = 0; seen < writes; seen += 1) await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Starts the program several times, lets all begin at once and returns what each sent back. */
async function inProcesses(args: readonly string[]): Promise<unknown[]> {
  const children = await Promise.all(Array.from({ length: PROCESSES }, () => started(args)));
  const results = children.map(async (child) => ((await once(child, 'message')) as [{ result: unknown }])[0].result);
  for (const child of children) child.send('go');
  return Promise.all(results);
}

async function started(args: readonly string[]): Promise<ChildProcess> {
  const child = fork(program, args, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}
