import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { ServerMetadata } from '../../src/protocol/documents.ts';
import { createDiscoveryRecords } from '../../src/records/discovery-records.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type SealingKeys, sealed } from '../../src/stores/sealed-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const issuer = 'https://login.example.com';
const other = 'https://other.example.com';
const resource = 'https://mcp.example.com/mcp';
const DAY_MS = 86_400_000;

const metadataOf = (of: string): ServerMetadata => ({
  issuer: of,
  authorization_endpoint: `${of}/authorize`,
  token_endpoint: `${of}/token`,
  scopes_supported: ['read'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
});

function setup(replacement: Partial<Store> = {}) {
  const clock = simulatedClock();
  const { store: watched, contents } = watchedStore(memoryStore({ clock }));
  const store = { ...watched, ...replacement };
  const failures: Failure[] = [];
  const report = (failure: Failure): void => void failures.push(failure);
  return { clock, failures, store, contents, discoveries: createDiscoveryRecords({ store, clock, limits: DEFAULT_LIMITS, report }) };
}

describe('discovery records', () => {
  it('keep server metadata with its validators and age (ASM-07)', async () => {
    const { clock, discoveries } = setup();
    const storedAtEpochMs = clock.now();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer), maxAgeSeconds: 60, etag: '"v1"' });
    await clock.advance(5_000);
    expect(await discoveries.readServer(issuer)).toEqual({
      metadata: metadataOf(issuer),
      storedAtEpochMs,
      maxAgeSeconds: 60,
      etag: '"v1"',
    });
  });

  it('keep what has no validators, and forget it on request (ASM-07)', async () => {
    const { clock, discoveries } = setup();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    expect(await discoveries.readServer(issuer)).toEqual({ metadata: metadataOf(issuer), storedAtEpochMs: clock.now() });
    await discoveries.forgetServer(issuer);
    expect(await discoveries.readServer(issuer)).toBeUndefined();
  });

  it('never give one issuer the metadata of another (ASM-07, ISS-01)', async () => {
    const { store, contents, discoveries } = setup();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    expect(await discoveries.readServer(other)).toBeUndefined();
    await expect(discoveries.saveServer(other, { metadata: metadataOf(issuer) })).rejects.toMatchObject({
      failure: { code: 'issuer_mismatch', details: { expected: other, received: issuer } },
    });
    // A record that was copied under another issuer's key is not used either.
    await discoveries.saveServer(other, { metadata: metadataOf(other) });
    const keys = Object.keys(await contents());
    const [from = '', to = ''] = [keys.find((key) => key.includes('login')), keys.find((key) => key.includes('other'))];
    await store.write(to, (await store.read(from))?.value ?? {});
    expect(await discoveries.readServer(other)).toBeUndefined();
  });

  it('accept an issuer that differs by a trailing slash, which was judged before', async () => {
    const { discoveries } = setup();
    await discoveries.saveServer(issuer, { metadata: metadataOf(`${issuer}/`) });
    expect((await discoveries.readServer(issuer))?.metadata.issuer).toBe(`${issuer}/`);
    expect(await discoveries.readServer(`${issuer}/`)).toBeUndefined();
  });

  it('keep resource metadata under the resource', async () => {
    const { clock, discoveries } = setup();
    const metadata = { resource, authorization_servers: [issuer], scopes_supported: ['read'] };
    await discoveries.saveResource(resource, { metadata, maxAgeSeconds: 60 });
    expect(await discoveries.readResource(resource)).toEqual({ metadata, storedAtEpochMs: clock.now(), maxAgeSeconds: 60 });
    expect(await discoveries.readResource(`${resource}/other`)).toBeUndefined();
    await discoveries.forgetResource(resource);
    expect(await discoveries.readResource(resource)).toBeUndefined();
  });

  it('keep stale metadata for its validator, but not for ever', async () => {
    const { clock, discoveries } = setup();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer), maxAgeSeconds: 60, etag: '"v1"' });
    await clock.advance(20 * DAY_MS);
    expect((await discoveries.readServer(issuer))?.etag).toBe('"v1"');
    await clock.advance(20 * DAY_MS);
    expect(await discoveries.readServer(issuer)).toBeUndefined();
  });

  it('count what cannot be read as not there, and report it (STO-05)', async () => {
    const { store, contents, discoveries, failures } = setup();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    const [key = ''] = Object.keys(await contents());
    await store.write(key, { format: 1, of: issuer, metadata: 'not metadata' });
    expect(await discoveries.readServer(issuer)).toBeUndefined();
    expect(failures).toMatchObject([{ code: 'record_unreadable' }]);
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    expect((await discoveries.readServer(issuer))?.metadata).toEqual(metadataOf(issuer));
  });

  it('give out no server metadata that was changed in the store, where the vault is another (ISS-01)', async () => {
    const clock = simulatedClock();
    const [{ store, contents }, vault] = [watchedStore(memoryStore({ clock })), memoryStore({ clock })];
    const failures: Failure[] = [];
    const discoveries = createDiscoveryRecords({ store, vault, clock, limits: DEFAULT_LIMITS, report: (failed) => failures.push(failed) });
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer), maxAgeSeconds: 60 });
    expect((await discoveries.readServer(issuer))?.metadata).toEqual(metadataOf(issuer));

    const [[key, value] = ['', undefined]] = Object.entries(await contents());
    const text = JSON.stringify(value);
    for (const changed of [text.replace(`${issuer}/token`, 'https://evil.example.com/token'), text.replace('60', '99999')]) {
      await store.write(key, JSON.parse(changed));
      expect(await discoveries.readServer(issuer)).toBeUndefined();
    }
    expect(failures.map(({ code }) => code)).toEqual(['record_unreadable', 'record_unreadable']);
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    expect((await discoveries.readServer(issuer))?.metadata).toEqual(metadataOf(issuer));
  });

  it.each([
    ['is unknown', { keys: { new: new Uint8Array(32).fill(2) }, current: 'new' }],
    ['has become another', { keys: { old: new Uint8Array(32).fill(2) }, current: 'old' }],
  ])('are fetched again where the key that sealed their digest %s (ASM-07, STO-03)', async (_, keys) => {
    const clock = simulatedClock();
    const [store, vault] = [memoryStore({ clock }), memoryStore({ clock })];
    const old = { keys: { old: new Uint8Array(32).fill(1) }, current: 'old' };
    const withKeys = (sealing: SealingKeys) =>
      createDiscoveryRecords({ store, vault: sealed(vault, sealing), clock, limits: DEFAULT_LIMITS });
    await withKeys(old).saveServer(issuer, { metadata: metadataOf(issuer) });
    const discoveries = withKeys(keys);
    expect(await discoveries.readServer(issuer)).toBeUndefined();
    await discoveries.saveServer(issuer, { metadata: metadataOf(issuer) });
    expect((await discoveries.readServer(issuer))?.metadata).toEqual(metadataOf(issuer));
  });

  it('do not hide a store that fails', async () => {
    const unreachable = { read: () => Promise.reject(new Error('unreachable')) };
    await expect(setup(unreachable).discoveries.readServer(issuer)).rejects.toThrow('unreachable');
  });
});
