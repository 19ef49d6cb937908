/**
 * `authchart/sealed`: encrypts the values of any store, for vaults whose place others
 * can read: a shared database, a backup. It needs no Node.
 *
 * Keys, versions, expiry and leases stay readable; an earlier entry put back under its
 * own key opens. What cannot be opened is reported (`vault_key_unknown`,
 * `vault_key_wrong`, `record_unreadable`) and never deleted by being read or taken;
 * an unconditional write and a deletion do not look at what is there.
 */
import type { Store } from './contract.ts';
import { sealedWith } from './sealed-with.ts';
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
  return sealedWith(store, keyRing(keys));
}
