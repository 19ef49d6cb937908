/** The keys a sealed store knows. */
import { throwProblems } from '../misconfigured.ts';

/** 32 random bytes, or an AES-KW key of 256 bits for `wrapKey` and `unwrapKey`, which need not be extractable. */
export type SealingKey = Uint8Array | CryptoKey;

export interface SealingKeys {
  /** By key identifier: up to 64 letters, digits and any of `. _ : / -`. An identifier is never given to another key. */
  readonly keys: Readonly<Record<string, SealingKey>>;
  /** Seals what is written from now on; the other keys open what was written before. */
  readonly current: string;
}

export interface NamedKey {
  readonly keyId: string;
  readonly key: CryptoKey;
}

export interface KeyRing {
  /** What seals from now on. */
  current(): Promise<NamedKey>;
  find(keyId: string): Promise<CryptoKey | undefined>;
}

/** Of a key that seals other keys (AES-KW, 256 bits). */
export const KEY_BYTES = 32;
const KEY_ID = /^[\w.:/-]{1,64}$/;

/** False for what no key of anybody's can be called, and should not be shown. */
export const isKeyId = (text: string): boolean => KEY_ID.test(text);

/** @throws AuthorizationError `invalid_configuration`, its `details.problems` naming every mistake and no key. */
export function keyRing({ keys, current }: SealingKeys): KeyRing {
  const problems = [
    ...Object.entries(keys).flatMap(([keyId, key], index) => problemsOfKey(keyId, key, index)),
    ...(Object.hasOwn(keys, current) ? [] : ['current: none of the keys has this identifier.']),
  ];
  throwProblems(problems);

  // Copied now, so that the caller may wipe its own.
  const owned = Object.entries(keys).map(([keyId, key]) => [keyId, key instanceof Uint8Array ? new Uint8Array(key) : key] as const);
  const imported = new Map(owned.map(([keyId, key]) => [keyId, once(() => importKey(key))]));
  const find = async (keyId: string): Promise<CryptoKey | undefined> => imported.get(keyId)?.();
  return {
    async current() {
      // It is one of the keys: that was looked at above.
      return { keyId: current, key: (await find(current)) as CryptoKey };
    },
    find,
  };
}

function problemsOfKey(keyId: string, key: unknown, index: number): readonly string[] {
  // Somebody may have mixed up identifier and key: what is not an identifier is not quoted.
  if (!isKeyId(keyId))
    return [`keys: the identifier of number ${index + 1} is empty, too long or has other characters than those allowed.`];
  if (key instanceof Uint8Array) return key.byteLength === KEY_BYTES ? [] : [`keys.${keyId}: must have ${KEY_BYTES} bytes.`];
  if (isWrappingKey(key)) return [];
  return [`keys.${keyId}: must be ${KEY_BYTES} bytes, or a CryptoKey for AES-KW with 256 bits, wrapKey and unwrapKey.`];
}

function isWrappingKey(key: unknown): key is CryptoKey {
  if (!(key instanceof CryptoKey) || key.algorithm.name !== 'AES-KW') return false;
  const isLongEnough = 'length' in key.algorithm && key.algorithm.length === KEY_BYTES * 8;
  return isLongEnough && key.usages.includes('wrapKey') && key.usages.includes('unwrapKey');
}

/** Not extractable: what holds the store cannot print the key. */
export async function importKey(key: Uint8Array<ArrayBuffer> | CryptoKey): Promise<CryptoKey> {
  return key instanceof Uint8Array ? crypto.subtle.importKey('raw', key, 'AES-KW', false, ['wrapKey', 'unwrapKey']) : key;
}

function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => (made ??= make());
}
