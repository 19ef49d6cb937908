/** A process of its own that uses a file store; the tests start several and let them run into each other. */
import { open, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { underLock } from '../../src/stores/file-lock.ts';
import { fileStore } from '../../src/stores/file-store.ts';

const [task = '', directory = '', rounds = '0', deadToken = ''] = process.argv.slice(2);
const store = fileStore({ directory });

const tasks: Record<string, () => Promise<unknown>> = {
  async increment() {
    for (let done = 0; done < Number(rounds); ) {
      const record = await store.read('count');
      const count = Number(record?.value['count'] ?? 0);
      const result = await store.write('count', { count: count + 1 }, { expected: record?.version ?? null });
      if (result.written) done += 1;
    }
    return 'done';
  },
  async take() {
    const taken: number[] = [];
    for (let index = 0; index < Number(rounds); index += 1) if (await store.take(`item/${index}`)) taken.push(index);
    return taken;
  },
  /** Works under a lock, and after each turn leaves one behind as a killed process would. */
  async lock() {
    const path = join(directory, 'locked');
    let overlaps = 0;
    for (let round = 0; round < Number(rounds); round += 1) {
      await underLock(path, async () => {
        try {
          await (await open(`${path}.inside`, 'wx')).close();
        } catch {
          overlaps += 1;
        }
        await unlink(`${path}.inside`).catch(() => undefined);
      });
      await writeFile(`${path}.lock`, deadToken.replace('ID', `${process.pid}-${round}`), { flag: 'wx' }).catch(() => undefined);
    }
    return overlaps;
  },
  /** Writes until it is killed. */
  async write() {
    for (let n = 0; ; n += 1) {
      const key = `record/${n % 4}`;
      await store.write(key, { n, text: 'x'.repeat(20_000) });
      await store.acquireLease(key, 'killed', 60_000);
      process.send?.(n);
    }
  },
};

// All begin at the same time: when they are told.
process.once('message', () => {
  void tasks[task]?.().then((result) => process.send?.({ result }, () => process.disconnect()));
});
process.send?.('ready');
