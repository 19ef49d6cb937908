/** A memory store that can say all it holds, and be filled with what another held: a store that outlives a version of authchart. */
import type { Clock } from '../../src/clock.ts';
import type { JsonObject, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';

export interface DumpedRecord {
  readonly value: JsonObject;
  readonly expiresAtEpochMs?: number;
}

/** Records by key. Leases are left out: they end with the process that held them. */
export type StoreDump = Readonly<Record<string, DumpedRecord>>;

export interface DumpingStore {
  readonly store: Store;
  dump(): StoreDump;
}

/** `written` is told of every write that happened. */
export function dumpingStore(clock: Clock, written: (key: string, value: JsonObject, dump: StoreDump) => void = () => {}): DumpingStore {
  const inner = memoryStore({ clock });
  const records = new Map<string, DumpedRecord>();
  const dump = (): StoreDump => Object.fromEntries([...records].sort(([one], [other]) => (one < other ? -1 : 1)));
  const store: Store = {
    ...inner,
    async write(key, value, options = {}) {
      const result = await inner.write(key, value, options);
      if (result.written) {
        const { expiresAtEpochMs } = options;
        records.set(key, { value: JSON.parse(JSON.stringify(value)), ...(expiresAtEpochMs !== undefined && { expiresAtEpochMs }) });
        written(key, value, dump());
      }
      return result;
    },
    async delete(key, options) {
      const isDeleted = await inner.delete(key, options);
      if (isDeleted) records.delete(key);
      return isDeleted;
    },
    async take(key) {
      const taken = await inner.take(key);
      if (taken !== undefined) records.delete(key);
      return taken;
    },
  };
  return { store, dump };
}

export async function filledStore(clock: Clock, dump: StoreDump): Promise<Store> {
  const store = memoryStore({ clock });
  for (const [key, { value, expiresAtEpochMs }] of Object.entries(dump)) {
    await store.write(key, value, expiresAtEpochMs === undefined ? {} : { expiresAtEpochMs });
  }
  return store;
}
