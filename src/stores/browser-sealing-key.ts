/**
 * A key for `sealed()` that this browser makes and keeps: scripts of the origin can
 * use it and nobody can read it out. See docs/browser.md for what that is worth.
 */
import { openDB } from 'idb';
import { AuthorizationError } from '../errors.ts';
import { FailureError } from '../failure.ts';
import { indexedDbFailure } from './indexeddb-errors.ts';

export interface BrowserSealingKeyOptions {
  /** The database that holds nothing but the key. Default `authchart-key`. */
  readonly name?: string;
}

/**
 * The key of this browser profile, made when it is first asked for; all tabs get the same.
 *
 * @throws AuthorizationError `store_failed` where the browser cannot keep keys in IndexedDB: some do not in
 *   private windows or under strict protection.
 */
export async function browserSealingKey({ name = 'authchart-key' }: BrowserSealingKeyOptions = {}): Promise<CryptoKey> {
  try {
    if (typeof indexedDB === 'undefined') throw new FailureError('store_failed', 'storage', { reason: '(there is no IndexedDB here)' });
    const database = await openDB<{ keys: { key: string; value: CryptoKey } }>(name, 1, {
      upgrade(created) {
        created.createObjectStore('keys');
      },
    });
    try {
      const known = await database.get('keys', 'sealing');
      if (known !== undefined) return known;
      const made = await crypto.subtle.generateKey({ name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']);
      const transaction = database.transaction('keys', 'readwrite', { durability: 'strict' });
      // Another tab may have been quicker: its key is the one.
      const first = await transaction.store.get('sealing');
      if (first === undefined) await transaction.store.put(made, 'sealing');
      await transaction.done;
      return first ?? made;
    } finally {
      database.close();
    }
  } catch (thrown) {
    throw new AuthorizationError(indexedDbFailure(thrown, name).failure);
  }
}
