/**
 * `authchart/sealed`: encrypts the values of any store, for vaults whose place others
 * can read: a shared database, a backup. It needs no Node.
 *
 * Keys, versions, expiry and leases stay readable; an earlier entry put back under its
 * own key opens. What cannot be opened is reported (`vault_key_unknown`,
 * `vault_key_wrong`, `record_unreadable`) and never deleted by being read or taken;
 * an unconditional write and a deletion do not look at what is there.
 */
import type { Store, StoredRecord } from './contract.ts';
import { seal, unseal } from './sealed-entry.ts';
import { keyRing, type SealingKeys } from './sealing-keys.ts';

export type { SealingKey, SealingKeys } from './sealing-keys.ts';

/**
 * The same store, its values sealed with the current key of `keys` and opened with any
 * of them. To rotate: add a key, make it the current one, and remove the old one when
 * nothing sealed with it is left, which refreshed tokens bring about by themselves.
 *
 * ```
 * const vault = sealed(sqliteStore({ path }), { keys: { '2026-07': key }, current: '2026-07' });
 * ```
 *
 * @throws AuthorizationError `invalid_configuration` for keys that cannot be used.
 */
export function sealed(store: Store, keys: SealingKeys): Store {
  const ring = keyRing(keys);

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
