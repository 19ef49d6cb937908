/** A process of its own that uses a SQLite store; the tests start several and let them run into each other. */
import { sqliteStore } from '../../src/stores/sqlite-store.ts';

const [task = '', path = '', rounds = '0'] = process.argv.slice(2);
const store = sqliteStore({ path });

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
