import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileStore } from '../../src/stores/file-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const PROCESSES = 4;
const program = fileURLToPath(new URL('./file-store-process.ts', import.meta.url));

describe('file store among processes', () => {
  it('loses no update (STO-01)', async () => {
    const directory = await temporaryDirectory();
    await inProcesses(['increment', directory, '25']);
    expect((await fileStore({ directory }).read('count'))?.value).toEqual({ count: PROCESSES * 25 });
  });

  it('gives each record to one of those that take it (STO-01)', async () => {
    const directory = await temporaryDirectory();
    const store = fileStore({ directory });
    const items = Array.from({ length: 40 }, (_, index) => index);
    for (const index of items) await store.write(`item/${index}`, { index });
    const taken = (await inProcesses(['take', directory, String(items.length)])) as number[][];
    expect(taken.flat().sort((a, b) => a - b)).toEqual(items);
  });

  it('lets one at a time work although every holder before it died', async () => {
    const directory = await temporaryDirectory();
    const overlaps = await inProcesses(['lock', directory, '40', await deadToken()]);
    expect(overlaps).toEqual(Array.from({ length: PROCESSES }, () => 0));
  });

  it('is whole, unlocked and writable after a process was killed while it wrote', async () => {
    const directory = await temporaryDirectory();
    for (let victim = 0; victim < 5; victim += 1) {
      const child = await started(['write', directory]);
      child.send('go');
      for (let seen = 0; seen < 8 + victim; seen += 1) await once(child, 'message');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const store = fileStore({ directory });
      for (let n = 0; n < 4; n += 1) {
        expect((await store.read(`record/${n}`))?.value).toMatchObject({ text: 'x'.repeat(20_000) });
        await store.write(`record/${n}`, { text: 'x'.repeat(20_000), after: victim });
      }
    }
    expect((await readdir(directory)).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('leases to another process when the lease of a killed one has run out, and not before', async () => {
    const directory = await temporaryDirectory();
    const child = await started(['write', directory]);
    child.send('go');
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const clock = simulatedClock(Date.now());
    const store = fileStore({ directory, clock });
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toBeUndefined();
    await clock.advance(60_000);
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toMatchObject({ owner: 'successor' });
  });

  it('takes a lock over from a dead process at once, also when another died removing it', async () => {
    const directory = await temporaryDirectory();
    const store = fileStore({ directory });
    await store.write('a/record', { n: 1 });
    const [file = ''] = await readdir(directory);
    const token = await deadToken();
    await writeFile(join(directory, `${file}.lock`), token.replace('ID', 'first'));
    const claim = createHash('sha256').update(token.replace('ID', 'first')).digest('hex').slice(0, 12);
    await writeFile(join(directory, `${file}.lock-${claim}`), token.replace('ID', 'second'));
    const beganAtMs = performance.now();
    await store.write('a/record', { n: 2 });
    expect(performance.now() - beganAtMs).toBeLessThan(2_000);
    expect(await readdir(directory)).toEqual([file]);
  });
});

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

/** What a process of this machine that has ended would have written into its lock. */
async function deadToken(): Promise<string> {
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(ended, 'exit');
  const numbering = await readlink('/proc/self/ns/pid').catch(() => undefined);
  const machine = numbering === undefined ? hostname() : `${hostname()} ${numbering}`;
  return JSON.stringify({ machine, pid: ended.pid, id: 'ID' });
}
