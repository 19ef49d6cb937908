/** A process of its own that uses a SQLite store; the tests start several and let them run into each other. */
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { storeTasks, type Tasks, whenTold } from './store-process.ts';

const [task = '', path = '', rounds = '0'] = process.argv.slice(2);
const store = sqliteStore({ path });

const tasks: Tasks = {
  ...storeTasks(store, Number(rounds)),
  /** Takes one lease again and again, and says under which fences it had it. */
  async lease() {
    const fences: number[] = [];
    while (fences.length < Number(rounds)) {
      const lease = await store.acquireLease('a', String(process.pid), 60_000);
      if (lease === undefined) continue;
      fences.push(lease.fence);
      await store.releaseLease(lease);
    }
    return fences;
  },
};

whenTold(tasks, task);
