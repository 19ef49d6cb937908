/**
 * Sealing keys that the keychain of the operating system keeps, each an entry of its own
 * that is never written twice. Which of them belong to a store is a record of that store,
 * because a keychain cannot compare and set, and cannot be trusted to list: of any number
 * of processes that make the first key at once, the one whose record is written wins,
 * and the others use its key. Nothing is sealed with a key before that.
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { Store } from './contract.ts';
import type { Keychain, KeychainEntry } from './keychain.ts';
import { importKey, isKeyId, KEY_BYTES, type KeyRing, type NamedKey } from './sealing-keys.ts';

export interface KeychainKeys {
  readonly store: Store;
  readonly keychain: Keychain;
  readonly service: string;
}

const FORMAT = 1;
/** Keys named in a store. Older ones still open what they have sealed, since entries name their key themselves. */
const KEYS_LISTED = 8;
const ROUNDS = 20;

const anyList = z.object({ format: z.number() });
const list = z.object({ keys: z.array(z.string().check(z.refine(isKeyId))) });

/** Has a key in the keychain been made for this store? Asks the store alone. */
export async function hasKeychainKeys({ store, service }: Pick<KeychainKeys, 'store' | 'service'>): Promise<boolean> {
  return (await readList(store, service)).keyIds.length > 0;
}

/**
 * The keys of this store. The first that the keychain holds seals; where it holds none, one is made. A key that has
 * gone from the keychain is not forgotten: should it come back, it opens again what it has sealed.
 */
export async function keychainRing(o: KeychainKeys): Promise<KeyRing> {
  const first = await makeSure(o, async (keyIds) => {
    for (const keyId of keyIds) {
      const key = await readKey(o, keyId);
      if (key !== undefined) return { keyId, key };
    }
    return undefined;
  });
  const known = new Map([[first.keyId, first.key]]);
  return {
    current: async () => first,
    async find(keyId) {
      const key = known.get(keyId) ?? (await readKey(o, keyId));
      if (key === undefined) {
        throw new FailureError('vault_key_unknown', 'storage', { reason: `The keychain of this user holds no key ${keyId}.` });
      }
      known.set(keyId, key);
      return key;
    },
  };
}

/** Makes a key that seals from now on, for whoever opens the vault anew; the others still open what they sealed. */
export async function addKeychainKey(o: KeychainKeys): Promise<void> {
  await makeSure(o, async () => undefined);
}

/** What `find` finds among the keys of this store, or a new one that has become the first of them. */
async function makeSure(o: KeychainKeys, find: (keyIds: readonly string[]) => Promise<NamedKey | undefined>): Promise<NamedKey> {
  const { store, service } = o;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { keyIds, version } = await readList(store, service);
    const found = await find(keyIds);
    if (found !== undefined) return found;
    const made = await makeKey(o);
    const keys = [made.keyId, ...keyIds].slice(0, KEYS_LISTED);
    // If this throws, the write may have happened all the same: the new key stays in the keychain.
    const listed = await store.write(listKey(service), { format: FORMAT, keys }, { expected: version });
    if (listed.written) return made;
    await o.keychain.delete(entryOf(o, made.keyId)).catch(() => undefined);
  }
  throw new FailureError('store_failed', 'storage', { reason: 'Other processes kept making keys for this store.' });
}

function listKey(service: string): string {
  return `keychain-keys/${encodeURIComponent(service)}`;
}

async function readList(store: Store, service: string): Promise<{ readonly keyIds: readonly string[]; readonly version: string | null }> {
  const record = await store.read(listKey(service));
  if (record === undefined) return { keyIds: [], version: null };
  const format = anyList.safeParse(record.value).data?.format ?? 0;
  if (format > FORMAT) {
    throw unreadable(`The list of keys in the keychain has format ${format}; this version of authchart knows ${FORMAT}.`);
  }
  const { data } = list.safeParse(record.value);
  if (format !== FORMAT || data === undefined) throw unreadable('The list of keys in the keychain is damaged.');
  return { keyIds: data.keys, version: record.version };
}

function entryOf({ service }: KeychainKeys, keyId: string): KeychainEntry {
  return { service, name: keyId };
}

async function makeKey(o: KeychainKeys): Promise<NamedKey> {
  const keyId = `key-${textOf(crypto.getRandomValues(new Uint8Array(12)))}`;
  const value = textOf(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  await o.keychain.set({ ...entryOf(o, keyId), value });
  // What is sealed with a key that was not kept is lost: better to know now.
  if ((await o.keychain.get(entryOf(o, keyId))) !== value) {
    throw new FailureError('keychain_unavailable', 'storage', { reason: 'It does not give back what it was given.' });
  }
  return { keyId, key: await importKey(bytesOf(value)) };
}

/** Undefined: the keychain says that it has no such key. */
async function readKey(o: KeychainKeys, keyId: string): Promise<CryptoKey | undefined> {
  const value = await o.keychain.get(entryOf(o, keyId));
  if (value === null || value === undefined) return undefined;
  if (!KEY_TEXT.test(value)) {
    throw new FailureError('vault_key_wrong', 'storage', {
      reason: `What the keychain keeps as ${keyId} of ${o.service} is not the key that was put there.`,
    });
  }
  return importKey(bytesOf(value));
}

/** 32 bytes in base64url. */
const KEY_TEXT = /^[\w-]{43}$/;

function textOf(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

function unreadable(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason });
}
