import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { type KeyringLibrary, systemKeychain } from '../../src/stores/system-keychain.ts';

const ENTRY = { service: 'Example', name: 'key-1' };

/** The library as it is, over a map. `knowsStores`: since 2.1 it refuses names of stores that there are not. */
function library({ knowsStores = true } = {}) {
  const entries = new Map<string, string>();
  const stores: string[] = [];
  class AsyncEntry {
    readonly #id: string;
    constructor(service: string, name: string, { linux: { store } }: { readonly linux: { readonly store: string } }) {
      if (knowsStores && store !== 'secret-service') throw Object.assign(new Error('does not match any variant'), { code: 'InvalidArg' });
      stores.push(store);
      this.#id = `${service} ${name}`;
    }
    async getPassword() {
      return entries.get(this.#id) ?? null;
    }
    async setPassword(value: string) {
      entries.set(this.#id, value);
    }
    async deletePassword() {
      return entries.delete(this.#id);
    }
  }
  return { entries, stores, keyring: { AsyncEntry } satisfies KeyringLibrary };
}

async function failureOf(load: () => Promise<KeyringLibrary>) {
  const thrown = await systemKeychain(load)
    .get(ENTRY)
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(FailureError);
  return (thrown as FailureError).failure;
}

const notFound = (code: string) => Object.assign(new Error("Cannot find package '@napi-rs/keyring' imported from /home/…"), { code });

describe('the keychain of the operating system', () => {
  it('is asked by the library, and on Linux never by the keyring of the kernel, which a restart empties (STO-02)', async () => {
    const { entries, stores, keyring } = library();
    const keychain = systemKeychain(async () => keyring);
    expect(await keychain.get(ENTRY)).toBeNull();
    await keychain.set({ ...ENTRY, value: 'text' });
    expect(await keychain.get(ENTRY)).toBe('text');
    expect([...entries]).toEqual([['Example key-1', 'text']]);
    expect(await keychain.delete(ENTRY)).toBe(true);
    expect(new Set(stores)).toEqual(new Set(['secret-service']));
  });

  it.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])('without the library names what to install: %s (STO-02)', async (code) => {
    const failure = await failureOf(async () => Promise.reject(notFound(code)));
    expect(failure).toMatchObject({ code: 'keychain_not_installed', retryable: false, action: 'reconfigure', details: {} });
    expect(failure.advice).toContain('@napi-rs/keyring');
    expect(JSON.stringify(failure)).not.toContain('/home');
  });

  it('says that the part for this system is missing (STO-02)', async () => {
    const failure = await failureOf(async () => Promise.reject(new Error('Cannot find native binding.')));
    expect(failure).toMatchObject({ code: 'keychain_not_installed', details: { reason: expect.stringContaining('operating system') } });
  });

  it('refuses a library that would take the keyring of the kernel where no Secret Service is (STO-02)', async () => {
    const { keyring, entries } = library({ knowsStores: false });
    const failure = await failureOf(async () => keyring);
    expect(failure).toMatchObject({ code: 'keychain_not_installed', details: { reason: expect.stringContaining('older than 2.1') } });
    expect(entries.size).toBe(0);
  });

  it('has in the library that is installed what is expected of it (STO-02)', async () => {
    const { AsyncEntry } = await import('@napi-rs/keyring');
    expect(() => new AsyncEntry('authchart', 'version', { linux: { store: 'none' as never } })).toThrow(
      expect.objectContaining({ code: 'InvalidArg' }),
    );
  });
});
