/** Any store with its values sealed by the keys of a ring, wherever those come from. */
import type { Store, StoredRecord } from './contract.ts';
import { seal, unseal } from './sealed-entry.ts';
import type { KeyRing } from './sealing-keys.ts';

export function sealedWith(store: Store, ring: KeyRing): Store {
  const open = async (key: string, record: StoredRecord | undefined): Promise<StoredRecord | undefined> =>
    record && { value: await unseal(ring, key, record.value), version: record.version };

  return {
    read: async (key) => open(key, await store.read(key)),

    async write(key, value, options) {
      const result = await store.write(key, await seal(ring, key, value), options);
      return result.written ? result : { written: false, current: await open(key, result.current) };
    },

    delete: (key, options) => store.delete(key, options),

    /** Opened first and then deleted in the version that was opened: one that cannot be opened stays. */
    async take(key) {
      for (;;) {
        const record = await store.read(key);
        const opened = await open(key, record);
        if (opened === undefined || (await store.delete(key, { expected: opened.version }))) return opened;
      }
    },

    acquireLease: (key, owner, durationMs) => store.acquireLease(key, owner, durationMs),
    releaseLease: (lease) => store.releaseLease(lease),
    ...(store.watch !== undefined && { watch: (key, listener) => store.watch?.(key, listener) ?? (() => {}) }),
  };
}
