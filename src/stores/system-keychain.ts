/**
 * The keychain of the operating system, by `@napi-rs/keyring`: Keychain Services on macOS, the
 * Credential Manager on Windows, the Secret Service elsewhere (GNOME Keyring, KWallet, KeePassXC).
 */
import { FailureError } from '../failure.ts';
import { errnoOf } from './file-errors.ts';
import type { Keychain, KeychainEntry } from './keychain.ts';

/** As much of the library as is used here. */
export interface KeyringLibrary {
  readonly AsyncEntry: new (service: string, name: string, options: EntryOptions) => LibraryEntry;
}

interface LibraryEntry {
  getPassword(): Promise<string | null>;
  setPassword(value: string): Promise<void>;
  deletePassword(): Promise<boolean>;
}

interface EntryOptions {
  readonly linux: { readonly store: string };
}

/**
 * Where there is no Secret Service, the library would take the keyring of the Linux
 * kernel, which is empty after every restart: every login would be lost with the key.
 */
const LASTING: EntryOptions = { linux: { store: 'secret-service' } };

export const LIBRARY = '@napi-rs/keyring';

/** `load`: for tests. */
export function systemKeychain(load: () => Promise<KeyringLibrary> = loadLibrary): Keychain {
  let loaded: Promise<KeyringLibrary> | undefined;
  const entry = async ({ service, name }: KeychainEntry): Promise<LibraryEntry> => {
    loaded ??= load().then(checked, (thrown: unknown) => {
      throw notInstalled(thrown);
    });
    return new (await loaded).AsyncEntry(service, name, LASTING);
  };
  return {
    get: async (one) => (await entry(one)).getPassword(),
    set: async ({ value, ...one }) => (await entry(one)).setPassword(value),
    delete: async (one) => (await entry(one)).deletePassword(),
  };
}

async function loadLibrary(): Promise<KeyringLibrary> {
  return import('@napi-rs/keyring') as Promise<KeyringLibrary>;
}

/** Versions before 2.1 do not know the option that keeps logins from being lost, and ignore it. */
function checked(library: KeyringLibrary): KeyringLibrary {
  try {
    new library.AsyncEntry('authchart', 'version', { linux: { store: 'none' } });
  } catch (thrown) {
    if (errnoOf(thrown) === 'InvalidArg') return library;
  }
  throw new FailureError('keychain_not_installed', 'storage', { reason: `The ${LIBRARY} that is installed is older than 2.1.` });
}

function notInstalled(thrown: unknown): FailureError {
  const isAbsent = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(errnoOf(thrown) ?? '');
  const reason = isAbsent ? undefined : `${LIBRARY} is there, but its part for this operating system is not.`;
  return new FailureError('keychain_not_installed', 'storage', reason === undefined ? {} : { reason });
}
