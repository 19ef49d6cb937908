import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { underLock } from '../../src/stores/file-lock.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { inProcesses, killedAfter, PROCESSES } from '../helpers/processes.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const program = fileURLToPath(new URL('./file-store-process.ts', import.meta.url));

describe('file store among processes', () => {
  it('loses no update (STO-01)', async () => {
    const directory = await temporaryDirectory();
    await inProcesses(program, ['increment', directory, '25']);
    expect((await fileStore({ directory }).read('count'))?.value).toEqual({ count: PROCESSES * 25 });
  });

  it('gives each record to one of those that take it (STO-01)', async () => {
    const directory = await temporaryDirectory();
    const store = fileStore({ directory });
    const items = Array.from({ length: 40 }, (_, index) => index);
    for (const index of items) await store.write(`item/${index}`, { index });
    const taken = (await inProcesses(program, ['take', directory, String(items.length)])) as number[][];
    expect(taken.flat().sort((a, b) => a - b)).toEqual(items);
  });

  it('lets one at a time work although every holder before it died', async () => {
    const directory = await temporaryDirectory();
    const overlaps = await inProcesses(program, ['lock', directory, '40', await deadToken()]);
    expect(overlaps).toEqual(Array.from({ length: PROCESSES }, () => 0));
  });

  it('is whole, unlocked and writable after a process was killed while it wrote', async () => {
    const directory = await temporaryDirectory();
    for (let victim = 0; victim < 5; victim += 1) {
      await killedAfter(program, ['write', directory], 8 + victim);
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
    await killedAfter(program, ['write', directory], 1);
    const clock = simulatedClock(Date.now());
    const store = fileStore({ directory, clock });
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toBeUndefined();
    await clock.advance(60_000);
    expect(await store.acquireLease('record/0', 'successor', 1_000)).toMatchObject({ owner: 'successor' });
  });

  it('names its process in every lock from the first moment, so that one who dies there can be told dead', async () => {
    const directory = await temporaryDirectory();
    const lock = join(directory, 'record.lock');
    let turns = 0;
    const seen = new Set<string>();
    const looking = (): void => {
      try {
        seen.add(readFileSync(lock, 'utf8') === '' ? 'nothing' : 'its process');
      } catch {
        // Nobody has it just now.
      }
      if (turns < 200) setImmediate(looking);
    };
    setImmediate(looking);
    for (; turns < 200; turns += 1) await underLock(join(directory, 'record'), async () => {});
    expect([...seen]).toEqual(['its process']);
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
    // One that cannot be told dead is waited for 5 s: this one was not.
    expect(performance.now() - beganAtMs).toBeLessThan(4_500);
    expect(await readdir(directory)).toEqual([file]);
  });
});

/** What a process of this machine that has ended would have written into its lock. */
async function deadToken(): Promise<string> {
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(ended, 'exit');
  const numbering = await readlink('/proc/self/ns/pid').catch(() => undefined);
  const machine = numbering === undefined ? hostname() : `${hostname()} ${numbering}`;
  return JSON.stringify({ machine, pid: ended.pid, id: 'ID' });
}
