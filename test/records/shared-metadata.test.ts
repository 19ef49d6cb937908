import { describe, expect, it } from 'vitest';
import { orderedJson } from '../../src/ordered-json.ts';
import type { ServerMetadata } from '../../src/protocol/documents.ts';
import { digest, recordKey } from '../../src/records/keys.ts';
import { createSharedMetadata } from '../../src/records/shared-metadata.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const HOUR_MS = 3_600_000;
const METADATA: ServerMetadata = { issuer: 'https://login.example.com', token_endpoint: 'https://login.example.com/token' };

async function stage() {
  const clock = simulatedClock();
  const store = memoryStore({ clock });
  const name = await digest(orderedJson(METADATA));
  return { clock, store, name, key: recordKey('metadata', name), shared: createSharedMetadata(store) };
}

describe('server metadata that logins share', () => {
  it('is found by its digest, in any process, and known by it from then on (RES-06)', async () => {
    const { clock, store, name, shared } = await stage();
    expect(shared.digestOf(METADATA)).toBeUndefined();
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    expect(shared.digestOf(METADATA)).toBe(name);
    const other = createSharedMetadata(store);
    const found = await other.find(name);
    expect(found).toEqual(METADATA);
    expect(found && other.digestOf(found)).toBe(name);
  });

  it('is written once for any number of logins, and again before it would end too soon (RES-05)', async () => {
    const clock = simulatedClock();
    const watched = watchedStore(memoryStore({ clock }));
    const shared = createSharedMetadata(watched.store);
    for (let login = 0; login < 5; login += 1) await shared.keep({ ...METADATA }, clock.now() + HOUR_MS);
    expect(watched.everything().split('\n')).toHaveLength(1);
    await clock.advance(40 * 24 * HOUR_MS);
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    expect(watched.everything().split('\n')).toHaveLength(2);
  });

  it('is not kept for less by a login that ends sooner (RES-05)', async () => {
    const { clock, name, shared } = await stage();
    await shared.keep(METADATA, clock.now() + 100 * 24 * HOUR_MS);
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    await clock.advance(100 * 24 * HOUR_MS - 1);
    expect(await shared.find(name)).toEqual(METADATA);
  });

  it('is not taken for itself once it was changed, and is mended by the next login (ISS-01)', async () => {
    const { clock, store, name, key, shared } = await stage();
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    const metadata = { ...METADATA, token_endpoint: 'https://evil.example.com/token' };
    await store.write(key, { format: 1, expiresAtEpochMs: 9e15, metadata });
    expect(await shared.find(name)).toBeUndefined();
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    expect(await shared.find(name)).toEqual(METADATA);
  });

  it('is left alone and reported where a later version has written it (STO-05)', async () => {
    const { clock, store, name, key, shared } = await stage();
    await store.write(key, { format: 2, somethingNew: true });
    await shared.keep(METADATA, clock.now() + HOUR_MS);
    expect((await store.read(key))?.value).toEqual({ format: 2, somethingNew: true });
    // The checkpoint then holds the document itself.
    expect(shared.digestOf(METADATA)).toBeUndefined();
    expect((await failureOfCall(shared.find(name))).code).toBe('record_unreadable');
  });

  it('is not found where it is not (RES-04)', async () => {
    const { shared } = await stage();
    expect(await shared.find('nothing')).toBeUndefined();
  });
});
