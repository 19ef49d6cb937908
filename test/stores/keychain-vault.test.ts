import { describe, expect, it } from 'vitest';
import { keychainVault, rotateKeychainKey } from '../../src/keychain.ts';
import type { Keychain } from '../../src/stores/keychain.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { failingStores } from '../helpers/failing-store.ts';
import { memoryKeychain } from '../helpers/memory-keychain.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const LIST = 'keychain-keys/authchart';
const tokens = { accessToken: 'planted-secret', refreshToken: 'planted-secret-too' };
/** What Windows keeps in one entry, in bytes of UTF-16. */
const SMALLEST_ENTRY_BYTES = 2_560;

describe('a vault with its key in the keychain', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01, STO-02)`, async () => {
      const clock = simulatedClock();
      const store = memoryStore({ clock });
      const keychain = memoryKeychain();
      const [first, second] = [await keychainVault({ store, keychain }), await keychainVault({ store, keychain })];
      await run(() => ({ store: first, second, advance: clock.advance }));
    });
  }

  it('keeps one small key in the keychain, whatever is stored, and no secret in the store (STO-02, STO-03)', async () => {
    const { store, everything } = watchedStore();
    const keychain = memoryKeychain();
    const vault = await keychainVault({ store, keychain, service: 'Example' });
    await vault.write('a', { ...tokens, large: 'x'.repeat(100_000) });
    const [[name, value] = ['', ''], ...more] = keychain.entries;
    expect(more).toEqual([]);
    expect(name).toMatch(/^Example key-[\w-]{16}$/);
    expect(2 * value.length).toBeLessThan(SMALLEST_ENTRY_BYTES);
    expect(everything()).not.toContain('planted-secret');
    expect(everything()).not.toContain(value);
  });

  it('asks the keychain once a process, and not once a secret (STO-02)', async () => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    await keychainVault({ store, keychain });
    const asked = keychain.questions.length;
    const vault = await keychainVault({ store, keychain });
    for (const key of ['a', 'b', 'c']) await vault.write(key, tokens);
    for (const key of ['a', 'b', 'c']) await vault.read(key);
    expect(keychain.questions.slice(asked)).toEqual(['get']);
  });

  it('is a vault for a login, which another process goes on with (STO-02)', async () => {
    const clock = simulatedClock();
    const keychain = memoryKeychain();
    const { store, everything } = watchedStore(memoryStore({ clock }));
    const vault = () => keychainVault({ store, keychain });
    const world = scene({ clock, client: { store, vault: await vault() } });
    expect((await world.client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(everything()).not.toContain('SECRET-');
    const another = world.another({ store, vault: await vault() });
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.user.shown).toHaveLength(1);
  });

  it('names everything that is wrong with its options at once', async () => {
    const failure = await failureOfCall(keychainVault({ store: memoryStore(), keychain: memoryKeychain(), service: '\n', answerMs: 0 }));
    expect(failure).toMatchObject({ code: 'invalid_configuration', details: { problems: [expect.any(String), expect.any(String)] } });
  });

  it('seals with a new key after a rotation, and opens what the old one sealed (STO-03)', async () => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    const before = await keychainVault({ store, keychain });
    await before.write('a', { n: 1 });
    await rotateKeychainKey({ store, keychain });
    const after = await keychainVault({ store, keychain });
    await after.write('b', { n: 2 });
    expect((await after.read('a'))?.value).toEqual({ n: 1 });
    // Opened before there was that key.
    expect((await before.read('b'))?.value).toEqual({ n: 2 });
    expect(keychain.entries.size).toBe(2);
    const kids = await Promise.all(['a', 'b'].map(async (key) => kidOf(await store.read(key))));
    expect(new Set(kids).size).toBe(2);
  });
});

describe('the first key', () => {
  it('is one for all who make it at once: nobody has sealed with another (STO-02)', async () => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    keychain.before = () => settled();
    const vaults = await Promise.all(Array.from({ length: 8 }, () => keychainVault({ store, keychain })));
    await Promise.all(vaults.map((vault, index) => vault.write(`secret-${index}`, { index })));
    for (const vault of [...vaults, await keychainVault({ store, keychain })]) {
      for (const index of vaults.keys()) expect((await vault.read(`secret-${index}`))?.value).toEqual({ index });
    }
    // Keys that nothing was sealed with do not stay in the user's keychain.
    expect(keychain.entries.size).toBe(1);
  });

  it.each(['before', 'after', 'dies'] as const)(
    'costs nothing but another try where the store fails at any operation: %s (STO-02)',
    async (mode) => {
      for (let failAt = 1; ; failAt += 1) {
        const store = memoryStore();
        const keychain = memoryKeychain();
        const failing = failingStores({ store }, failAt, mode);
        const opened = await keychainVault({ store: failing.store, keychain }).catch(({ code }) => code as string);
        if (!failing.failed()) {
          expect(failAt).toBe(3);
          return;
        }
        expect(opened).toBe('store_failed');
        const vault = await keychainVault({ store, keychain });
        await vault.write('a', { n: 1 });
        expect((await (await keychainVault({ store, keychain })).read('a'))?.value).toEqual({ n: 1 });
      }
    },
  );

  it('is not used before it is sure to be kept: a keychain that forgets is refused (STO-02)', async () => {
    const store = memoryStore();
    const forgetful: Keychain = { get: async () => null, set: async () => {}, delete: async () => false };
    expect(await failureOfCall(keychainVault({ store, keychain: forgetful }))).toMatchObject({ code: 'keychain_unavailable' });
    expect(await store.read(LIST)).toBeUndefined();
  });
});

describe('a keychain that cannot be used', () => {
  it.each([
    ['the user refuses', 'User canceled the operation. (SECRET-1)', 'It stayed locked, or its user refused.'],
    [
      'it stays locked',
      "Couldn't access platform storage: Secret Service: unlock prompt was dismissed",
      'It stayed locked, or its user refused.',
    ],
    ['none runs', 'Platform failure: DBus error: set your DBUS_SESSION_BUS_ADDRESS', 'None runs here, or it has no keychain to write to.'],
    ['it has no collection', 'Secret Service: no result found', 'None runs here, or it has no keychain to write to.'],
    ['it says something else', 'SECRET-2', undefined],
  ])('because %s is a coded error that can be tried again, and leaves the store as it was (STO-02)', async (_, text, reason) => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    keychain.before = () => {
      throw new Error(text);
    };
    const failure = await failureOfCall(keychainVault({ store, keychain }));
    expect(failure).toMatchObject({ code: 'keychain_unavailable', phase: 'storage', retryable: true, details: reason ? { reason } : {} });
    expect(JSON.stringify(failure)).not.toContain('SECRET');
    expect(await store.read(LIST)).toBeUndefined();
    keychain.before = () => {};
    expect(await (await keychainVault({ store, keychain })).read('a')).toBeUndefined();
  });

  it('because it never answers ends after the time it is given, and holds back nothing that comes later (STO-02)', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const keychain = memoryKeychain();
    let answer = (): void => {};
    keychain.before = () => new Promise((resolve) => (answer = resolve));
    const open = () => keychainVault({ store, keychain, clock, answerMs: 60_000 });
    const failures = Promise.all([failureOfCall(open()), failureOfCall(open())]);
    await settled();
    await clock.advance(59_999);
    expect(keychain.questions).toHaveLength(1);
    await clock.advance(1);
    expect((await failures).map(({ code }) => code)).toEqual(['keychain_unavailable', 'keychain_unavailable']);
    keychain.before = () => {};
    answer();
    await settled();
    // The question of the one that gave up while it queued was never put.
    expect(keychain.questions).toHaveLength(1);
    await (await open()).write('a', { n: 1 });
    expect((await (await open()).read('a'))?.value).toEqual({ n: 1 });
  });

  it('is asked one thing at a time, by however many (STO-02)', async () => {
    const keychain = memoryKeychain();
    keychain.before = () => settled();
    await Promise.all(['One', 'Two', 'Three'].map((service) => keychainVault({ store: memoryStore(), keychain, service })));
    expect(keychain.openAtMost).toBe(1);
  });
});

describe('a key that has gone from the keychain', () => {
  async function withoutItsKey() {
    const store = memoryStore();
    const keychain = memoryKeychain();
    await (await keychainVault({ store, keychain })).write('a', tokens);
    const kept = new Map(keychain.entries);
    keychain.entries.clear();
    return { store, keychain, kept, entry: await store.read('a'), vault: await keychainVault({ store, keychain }) };
  }

  it('is reported for what it sealed, which is left as it was (STO-03)', async () => {
    const { store, vault, entry } = await withoutItsKey();
    for (const operation of [() => vault.read('a'), () => vault.take('a'), () => vault.write('a', {}, { expected: null })]) {
      expect(await operation().catch(({ failure }) => failure.code)).toBe('vault_key_unknown');
    }
    expect(await store.read('a')).toEqual(entry);
  });

  it('stands in nobody’s way to sign out and in again (STO-03)', async () => {
    const { vault } = await withoutItsKey();
    expect(await vault.delete('a')).toBe(true);
    await vault.write('a', { n: 1 });
    expect((await vault.read('a'))?.value).toEqual({ n: 1 });
  });

  it('opens again what it sealed when it is back, beside its successor (STO-03)', async () => {
    const { store, keychain, kept, vault } = await withoutItsKey();
    await vault.write('b', { n: 2 });
    for (const [name, value] of kept) keychain.entries.set(name, value);
    for (const one of [vault, await keychainVault({ store, keychain })]) {
      expect((await one.read('a'))?.value).toEqual(tokens);
      expect((await one.read('b'))?.value).toEqual({ n: 2 });
    }
  });

  it('leads to no new key each time, where two keychains know one store (STO-03)', async () => {
    const store = memoryStore();
    const [here, there] = [memoryKeychain(), memoryKeychain()];
    for (const keychain of [here, there, here, there, here]) {
      await (await keychainVault({ store, keychain })).write('a', { n: 1 });
    }
    expect([here.entries.size, there.entries.size]).toEqual([1, 1]);
  });

  it('and has become something else is reported and not replaced (STO-03)', async () => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    await (await keychainVault({ store, keychain })).write('a', tokens);
    for (const name of keychain.entries.keys()) keychain.entries.set(name, 'planted-secret');
    const before = new Map(keychain.entries);
    const failure = await failureOfCall(keychainVault({ store, keychain }));
    expect(failure).toMatchObject({ code: 'vault_key_wrong' });
    expect(JSON.stringify(failure)).not.toContain('planted');
    expect(keychain.entries).toEqual(before);
  });
});

describe('the list of keys in the store', () => {
  it.each([
    ['damaged', { keys: 'planted-secret' }],
    ['of a later version', { format: 2, keys: { how: 'unknown' } }],
    ['someone else’s', { format: 1, keys: ['../other entry'] }],
  ])('that is %s is reported and left as it is, and no key is made (STO-05)', async (_, value) => {
    const store = memoryStore();
    const keychain = memoryKeychain();
    await store.write(LIST, value);
    const failure = await failureOfCall(keychainVault({ store, keychain }));
    expect(failure).toMatchObject({ code: 'record_unreadable' });
    expect((await store.read(LIST))?.value).toEqual(value);
    expect(keychain.entries.size).toBe(0);
  });
});

function kidOf(record: { readonly value: { readonly [name: string]: unknown } } | undefined): string {
  const [header = ''] = String(record?.value['jwe']).split('.');
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
}
