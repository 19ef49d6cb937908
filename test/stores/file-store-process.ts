/** A process of its own that uses a file store; the tests start several and let them run into each other. */
import { open, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { underLock } from '../../src/stores/file-lock.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { storeTasks, type Tasks, whenTold } from './store-process.ts';

const [task = '', directory = '', rounds = '0', deadToken = ''] = process.argv.slice(2);
const store = fileStore({ directory });

const tasks: Tasks = {
  ...storeTasks(store, Number(rounds)),
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
};

whenTold(tasks, task);
