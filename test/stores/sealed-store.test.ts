import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JsonObject, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type SealingKeys, sealed } from '../../src/stores/sealed-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const first = new Uint8Array(32).fill(1);
const second = new Uint8Array(32).fill(2);
const old: SealingKeys = { keys: { old: first }, current: 'old' };
const rotated: SealingKeys = { keys: { old: first, new: second }, current: 'new' };
const tokens = { accessToken: 'planted-secret', refreshToken: 'planted-secret-too' };

describe('sealed store', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01, STO-03)`, async () => {
      await run(() => {
        const clock = simulatedClock();
        const store = memoryStore({ clock });
        return { store: sealed(store, rotated), second: sealed(store, rotated), advance: clock.advance };
      });
    });
  }

  it('stores a JWE that names its key, and nothing of the value (STO-03)', async () => {
    const { store, vault } = stores(old);
    await vault.write('tokens/a', tokens);
    const entry = await entryOf(store, 'tokens/a');
    expect(JSON.stringify(entry)).not.toContain('planted-secret');
    expect(jweOf(entry).split('.')).toHaveLength(5);
    expect(decodeProtectedHeader(jweOf(entry))).toEqual({ alg: 'A256KW', enc: 'A256GCM', kid: 'old' });
  });

  it('seals the same value differently every time (STO-03)', async () => {
    const { store, vault } = stores(old);
    await vault.write('tokens/a', tokens);
    const parts = jweOf(await entryOf(store, 'tokens/a')).split('.');
    await vault.write('tokens/a', tokens);
    const again = jweOf(await entryOf(store, 'tokens/a')).split('.');
    expect(parts.filter((part, index) => part === again[index])).toEqual([parts[0]]);
  });

  it('reads with every known key and writes with the current one (STO-03)', async () => {
    const { store, vault } = stores(old);
    await vault.write('tokens/a', { n: 1 });
    await vault.write('tokens/b', { n: 2 });
    const next = sealed(store, rotated);
    expect((await next.read('tokens/a'))?.value).toEqual({ n: 1 });
    expect((await next.take('tokens/b'))?.value).toEqual({ n: 2 });
    await next.write('tokens/a', { n: 3 });
    expect(decodeProtectedHeader(jweOf(await entryOf(store, 'tokens/a'))).kid).toBe('new');
    expect((await sealed(store, { keys: { new: second }, current: 'new' }).read('tokens/a'))?.value).toEqual({ n: 3 });
  });

  it('opens with a key that cannot be extracted, and after the bytes were wiped (STO-03)', async () => {
    const bytes = new Uint8Array(first);
    const key = await crypto.subtle.importKey('raw', bytes, 'AES-KW', false, ['wrapKey', 'unwrapKey']);
    const { store, vault } = stores({ keys: { old: bytes }, current: 'old' });
    bytes.fill(0);
    await vault.write('tokens/a', tokens);
    expect((await sealed(store, { keys: { old: key }, current: 'old' }).read('tokens/a'))?.value).toEqual(tokens);
  });

  const strangers = [
    { title: 'an unknown key', keys: { keys: { other: second }, current: 'other' }, code: 'vault_key_unknown' },
    { title: 'a wrong key', keys: { keys: { old: second }, current: 'old' }, code: 'vault_key_wrong' },
  ] as const;
  for (const { title, keys, code } of strangers) {
    it(`reports ${title} on read, take and a refused write, and deletes nothing (STO-03)`, async () => {
      const { store, vault } = stores(old);
      await vault.write('tokens/a', tokens);
      const before = await store.read('tokens/a');
      const stranger = sealed(store, keys);
      const operations = [
        () => stranger.read('tokens/a'),
        () => stranger.take('tokens/a'),
        () => stranger.write('tokens/a', {}, { expected: null }),
      ];
      for (const operation of operations) {
        const failure = await failureOf(operation);
        expect(failure).toMatchObject({ code, phase: 'storage', retryable: false, details: { reason: 'Its key identifier is old.' } });
        expect(JSON.stringify(failure)).not.toContain('planted-secret');
      }
      expect(await store.read('tokens/a')).toEqual(before);
      expect((await vault.take('tokens/a'))?.value).toEqual(tokens);
    });
  }

  it('refuses an entry that was moved under another key of the store (STO-03)', async () => {
    const { store, vault } = stores(old);
    await vault.write('tokens/victim', tokens);
    await store.write('tokens/thief', await entryOf(store, 'tokens/victim'));
    for (const operation of ['read', 'take'] as const) {
      expect(await failureOf(() => vault[operation]('tokens/thief'))).toMatchObject({ code: 'record_unreadable' });
    }
    expect((await vault.read('tokens/victim'))?.value).toEqual(tokens);
  });

  it('notices a change at any character of the JWE, and leaves the entry (STO-03)', async () => {
    const { store, vault } = stores(old);
    await vault.write('a', { n: 1 });
    const whole = jweOf(await entryOf(store, 'a'));
    for (let at = 0; at < whole.length; at += 1) {
      // Six bits change: the last character of a part carries bits that decoders ignore.
      const changed = `${whole.slice(0, at)}${flipped(whole[at] ?? '')}${whole.slice(at + 1)}`;
      await store.write('a', { sealed: 1, jwe: changed });
      expect((await failureOf(() => vault.take('a'))).code).toMatch(/^(vault_key_wrong|vault_key_unknown|record_unreadable)$/);
      await store.write('a', { sealed: 1, jwe: whole.slice(0, at) });
      expect((await failureOf(() => vault.take('a'))).code).toMatch(/^(vault_key_wrong|record_unreadable)$/);
      expect(await entryOf(store, 'a')).toEqual({ sealed: 1, jwe: whole.slice(0, at) });
    }
  });

  it.each([
    ['was never sealed', { accessToken: 'planted-secret' }],
    ['is of a later format', { sealed: 2, how: 'unknown to this version' }],
    ['holds no JWE', { sealed: 1, jwe: 'planted-secret' }],
  ])('leaves an entry untouched that %s, and reports it (STO-03, STO-05)', async (_title, entry) => {
    const { store, vault } = stores(old);
    await store.write('a', entry);
    const failure = await failureOf(() => vault.take('a'));
    expect(failure).toMatchObject({ code: 'record_unreadable' });
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
    expect(await entryOf(store, 'a')).toEqual(entry);
  });

  it('opens no JWE of other algorithms, also when its key is right (STO-03)', async () => {
    const { store, vault } = stores(old);
    const plaintext = new TextEncoder().encode(JSON.stringify({ key: 'a', value: { n: 1 } }));
    const jwe = await new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'old' }).encrypt(first);
    await store.write('a', { sealed: 1, jwe });
    expect(await failureOf(() => vault.read('a'))).toMatchObject({ code: 'record_unreadable' });
  });

  it('shows no key identifier that is none', async () => {
    const { store, vault } = stores(old);
    const kid = '\u001b[31mplanted';
    const jwe = await new CompactEncrypt(new Uint8Array(1)).setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid }).encrypt(first);
    await store.write('a', { sealed: 1, jwe });
    const failure = await failureOf(() => vault.read('a'));
    expect(failure).toMatchObject({ code: 'vault_key_unknown', details: {} });
    expect(JSON.stringify(failure)).not.toContain('planted');
  });

  it('names everything that is wrong with the keys at once, and no key', async () => {
    const text = 'planted-secret-key';
    const key = await crypto.subtle.importKey('raw', first, 'AES-GCM', false, ['encrypt']);
    const keys = { short: new Uint8Array(16), text: text as never, gcm: key, 'planted secret': second };
    const failure = await failureOf(async () => sealed(memoryStore(), { keys, current: 'absent' }));
    expect(failure).toMatchObject({ code: 'invalid_configuration' });
    expect(failure.details.problems).toHaveLength(5);
    expect(JSON.stringify(failure)).not.toContain('planted');
  });
});

function stores(keys: SealingKeys): { readonly store: Store; readonly vault: Store } {
  const store = memoryStore();
  return { store, vault: sealed(store, keys) };
}

async function entryOf(store: Store, key: string): Promise<JsonObject> {
  const record = await store.read(key);
  if (record === undefined) throw new Error(`Nothing is stored under ${key}.`);
  return record.value;
}

const jweOf = (entry: JsonObject): string => String(entry['jwe']);

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const flipped = (character: string): string => (character === '.' ? 'A' : (ALPHABET[63 - ALPHABET.indexOf(character)] ?? ''));

interface Reported {
  readonly code: string;
  readonly details: { readonly problems?: readonly string[] };
}

async function failureOf(work: () => Promise<unknown>): Promise<Reported> {
  try {
    await work();
  } catch (thrown) {
    return (thrown as { failure: Reported }).failure;
  }
  throw new Error('Nothing was reported.');
}
