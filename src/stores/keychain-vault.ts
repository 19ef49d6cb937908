/** A vault whose secrets are sealed with a key that the keychain of the operating system keeps. */
import { type Clock, systemClock } from '../clock.ts';
import { toAuthorizationError } from '../errors.ts';
import { throwProblems } from '../misconfigured.ts';
import type { Store } from './contract.ts';
import type { Keychain } from './keychain.ts';
import { addKeychainKey, type KeychainKeys, keychainRing } from './keychain-keys.ts';
import { patientKeychain } from './patient-keychain.ts';
import { sealedWith } from './sealed-with.ts';
import { systemKeychain } from './system-keychain.ts';
import { toldStore } from './told-store.ts';

export interface KeychainVaultOptions {
  /** Where the sealed secrets are kept. It must last: every new store gets a new key in the keychain. */
  readonly store: Store;
  /** The name under which the user finds the keys in the keychain: your program's. Default `authchart`. */
  readonly service?: string;
  /** Keeps the key; `Bun.secrets` is one. Default: the keychain of the operating system, by `@napi-rs/keyring`. */
  readonly keychain?: Keychain;
  /** How long the keychain may take to answer, its user included, in milliseconds. Default 120,000. */
  readonly answerMs?: number;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
}

const DEFAULT_SERVICE = 'authchart';
const ANSWER_MS = 120_000;

/** One for the process: whoever asks it waits for whoever asked before. */
let ofThisSystem: Keychain | undefined;

/**
 * The store, its values sealed with a key of the keychain. The key is asked for now, and the first time made;
 * after that the keychain is asked again only for what was sealed with another of its keys.
 *
 * ```
 * const vault = await keychainVault({ store: fileStore({ directory }), service: 'Example' });
 * ```
 *
 * @throws AuthorizationError `keychain_not_installed` without `@napi-rs/keyring`, `keychain_unavailable` where no
 *   keychain runs or it stays locked, `vault_key_wrong` or `record_unreadable` for what is not as it was put there,
 *   `store_failed`, `invalid_configuration`. Nothing has been deleted then.
 */
export async function keychainVault(options: KeychainVaultOptions): Promise<Store> {
  return told(async () => sealedWith(options.store, await keychainRing(keysOf(options))));
}

/**
 * Makes a new key in the keychain, which seals what is written from the next `keychainVault()` on. What was sealed
 * before stays readable; leave the older keys in the keychain until nothing is sealed with them any more.
 *
 * @throws AuthorizationError as `keychainVault` does.
 */
export async function rotateKeychainKey(options: KeychainVaultOptions): Promise<void> {
  await told(() => addKeychainKey(keysOf(options)));
}

function keysOf({
  store,
  service = DEFAULT_SERVICE,
  keychain,
  answerMs = ANSWER_MS,
  clock = systemClock,
}: KeychainVaultOptions): KeychainKeys {
  const problems = [
    ...(isName(service) ? [] : ['`service` must be a name of 1 to 128 characters on one line.']),
    ...(answerMs > 0 ? [] : ['`answerMs` must be more than nothing.']),
  ];
  throwProblems(problems);
  ofThisSystem ??= systemKeychain();
  return { store: toldStore(store), service, keychain: patientKeychain(keychain ?? ofThisSystem, { clock, answerMs }) };
}

function isName(service: unknown): service is string {
  return typeof service === 'string' && /^[^\p{Cc}\p{Cs}]{1,128}$/u.test(service) && service.trim() !== '';
}

async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw toAuthorizationError(thrown, 'storage');
  }
}
