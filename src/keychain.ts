/** A vault with its key in the keychain of the operating system. */
export type { Keychain, KeychainEntry } from './stores/keychain.ts';
export { type KeychainVaultOptions, keychainVault, rotateKeychainKey } from './stores/keychain-vault.ts';
