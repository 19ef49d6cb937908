/**
 * A keychain as authchart uses one: named texts of a few dozen bytes. Small enough for
 * every keychain there is (Windows keeps 2,560 bytes an entry), and the same calls
 * that `Bun.secrets` has.
 */

export interface KeychainEntry {
  /** What the user sees in the keychain's own window, and in what it asks. */
  readonly service: string;
  readonly name: string;
}

/** Every operation rejects if the keychain is not there, stays locked or refuses; only `null` means that there is no such entry. */
export interface Keychain {
  get(entry: KeychainEntry): Promise<string | null>;
  set(entry: KeychainEntry & { readonly value: string }): Promise<unknown>;
  delete(entry: KeychainEntry): Promise<unknown>;
}
