/** What a process of its own does with a store, when the test that started it says so. */
import type { Store } from '../../src/stores/contract.ts';

export type Tasks = Readonly<Record<string, () => Promise<unknown>>>;

/** Tasks that any store can be put to. */
export function storeTasks(store: Store, rounds: number): Tasks {
  return {
    async increment() {
      for (let done = 0; done < rounds; ) {
        const record = await store.read('count');
        const count = Number(record?.value['count'] ?? 0);
        const result = await store.write('count', { count: count + 1 }, { expected: record?.version ?? null });
        if (result.written) done += 1;
      }
      return 'done';
    },
    async take() {
      const taken: number[] = [];
      for (let index = 0; index < rounds; index += 1) if (await store.take(`item/${index}`)) taken.push(index);
      return taken;
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
}

/** All processes begin at the same time: when they are told. */
export function whenTold(tasks: Tasks, task: string): void {
  process.once('message', () => {
    void tasks[task]?.().then((result) => process.send?.({ result }, () => process.disconnect()));
  });
  process.send?.('ready');
}
