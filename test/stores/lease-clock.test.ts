import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { Store } from '../../src/stores/contract.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const LEASE_MS = 4_000;
const HOURS_MS = 5 * 3_600_000;

/** The stores that go by this machine's clock; databases go by their own. */
const STORES: readonly (readonly [name: string, make: (clock: Clock) => Promise<Store>])[] = [
  ['memory', async (clock) => memoryStore({ clock })],
  ['file', async (clock) => fileStore({ clock, directory: await temporaryDirectory() })],
  [
    'SQLite',
    async (clock) => {
      const store = sqliteStore({ clock, path: join(await temporaryDirectory(), 'logins.sqlite') });
      onTestFinished(() => store.close());
      return store;
    },
  ],
];

describe.each(STORES)('a lease in the %s store', (_, make) => {
  it('of a holder that died is over in its own time, however far the clock was set back since (RES-08, RES-05)', async () => {
    const clock = simulatedClock();
    const store = await make(clock);
    const dead = await store.acquireLease('a', 'dead', LEASE_MS);
    clock.setBy(-HOURS_MS);
    expect(await store.acquireLease('a', 'next', LEASE_MS)).toBeUndefined();
    await clock.advance(LEASE_MS);
    expect((await store.acquireLease('a', 'next', LEASE_MS))?.fence).toBeGreaterThan(dead?.fence ?? Number.POSITIVE_INFINITY);
  });

  it('of a holder that lives stays its own when the clock is set back (RES-08, RES-05)', async () => {
    const clock = simulatedClock();
    const store = await make(clock);
    const held = await store.acquireLease('a', 'here', LEASE_MS);
    clock.setBy(-HOURS_MS);
    for (let renewals = 0; renewals < 5; renewals += 1) {
      expect(await store.acquireLease('a', 'there', 60_000)).toBeUndefined();
      await clock.advance(LEASE_MS / 2);
      expect(await store.acquireLease('a', 'here', LEASE_MS)).toMatchObject({ fence: held?.fence });
    }
  });

  it('lasts as long as it was taken for, whatever those who want it would take it for (RES-08)', async () => {
    const clock = simulatedClock();
    const store = await make(clock);
    await store.acquireLease('a', 'here', 60_000);
    expect(await store.acquireLease('a', 'there', 1)).toBeUndefined();
    await clock.advance(59_999);
    expect(await store.acquireLease('a', 'there', 1)).toBeUndefined();
  });

  it('is over when the clock is set ahead, and the next fence is greater (RES-08, RES-05)', async () => {
    const clock = simulatedClock();
    const store = await make(clock);
    const held = await store.acquireLease('a', 'here', LEASE_MS);
    clock.setBy(HOURS_MS);
    const next = await store.acquireLease('a', 'there', LEASE_MS);
    expect(next?.fence).toBeGreaterThan(held?.fence ?? Number.POSITIVE_INFINITY);
    clock.setBy(-HOURS_MS);
    expect(await store.acquireLease('a', 'here', LEASE_MS)).toBeUndefined();
    await clock.advance(LEASE_MS);
    expect((await store.acquireLease('a', 'here', LEASE_MS))?.fence).toBeGreaterThan(next?.fence ?? Number.POSITIVE_INFINITY);
  });
});
