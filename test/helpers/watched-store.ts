import type { JsonObject, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';

/** A memory store that remembers everything it was ever given, and what it holds now. */
export function watchedStore(store = memoryStore()): {
  store: Store;
  everything(): string;
  contents(): Promise<Record<string, JsonObject>>;
} {
  const given: string[] = [];
  const keys = new Set<string>();
  return {
    store: {
      ...store,
      write(key, value, options) {
        keys.add(key);
        given.push(JSON.stringify([key, value, options]));
        return store.write(key, value, options);
      },
      acquireLease(key, owner, durationMs) {
        given.push(JSON.stringify([key, owner]));
        return store.acquireLease(key, owner, durationMs);
      },
    },
    everything: () => given.join('\n'),
    async contents() {
      const contents: Record<string, JsonObject> = {};
      for (const key of keys) {
        const record = await store.read(key);
        if (record !== undefined) contents[key] = record.value;
      }
      return contents;
    },
  };
}
