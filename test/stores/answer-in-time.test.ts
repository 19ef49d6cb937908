import { describe, expect, it } from 'vitest';
import { answerInTime } from '../../src/stores/answer-in-time.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { toldStore } from '../../src/stores/told-store.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';

const LIMIT_MS = 40_000;
const never = () => new Promise<never>(() => {});

describe('an operation of a store that does not answer', () => {
  it('fails within the limit, and not before half of it, whenever it began (RES-02)', async () => {
    for (const startedAfterMs of [0, 1, 19_999, 20_000, 35_000]) {
      const clock = simulatedClock();
      const inTime = answerInTime(LIMIT_MS, clock);
      void inTime(never).catch(() => {});
      await clock.advance(startedAfterMs);
      let failure: unknown;
      const hanging = inTime(never).catch((thrown: { failure: unknown }) => {
        failure = thrown.failure;
      });
      await clock.advance(LIMIT_MS / 2 - 1);
      expect(failure).toBeUndefined();
      await clock.advance(LIMIT_MS / 2 + 1);
      await hanging;
      expect(failure).toMatchObject({ code: 'store_failed', retryable: true, details: { reason: 'It did not answer in time.' } });
    }
  });

  it('ends no other operation, and one that is answered stays answered (RES-02)', async () => {
    const clock = simulatedClock();
    const inTime = answerInTime(LIMIT_MS, clock);
    const hanging = inTime(never).catch(() => 'failed');
    let answer = (_: string): void => {};
    await clock.advance(30_000);
    const slow = inTime(() => new Promise<string>((resolve) => (answer = resolve)));
    await clock.advance(15_000);
    expect(await hanging).toBe('failed');
    answer('answered');
    expect(await slow).toBe('answered');
    expect(await inTime(async () => 'at once')).toBe('at once');
  });

  it('is no matter of the time of day: a clock that is set by a day ends nothing (RES-05)', async () => {
    const clock = simulatedClock();
    const inTime = answerInTime(LIMIT_MS, clock);
    let answer = (_: string): void => {};
    const slow = inTime(() => new Promise<string>((resolve) => (answer = resolve)));
    clock.jumpTo(clock.now() + 86_400_000);
    await settled();
    clock.jumpTo(clock.now() - 2 * 86_400_000);
    await settled();
    answer('answered');
    expect(await slow).toBe('answered');
  });

  it('leaves no timer behind once nothing is under way', async () => {
    const clock = simulatedClock();
    const inTime = answerInTime(LIMIT_MS, clock);
    for (let count = 0; count < 100; count += 1) await inTime(async () => count);
    expect(clock.sleeping).toBe(1);
    await clock.advance(LIMIT_MS);
    expect(clock.sleeping).toBe(0);
  });

  it('fails like this in the store of an embedder, whichever operation it is (RES-02)', async () => {
    const hanging = Object.fromEntries(['read', 'write', 'delete', 'take', 'acquireLease', 'releaseLease'].map((name) => [name, never]));
    const store = toldStore(hanging as unknown as Store, { storeOperationMs: 2 });
    const lease = { key: 'a', owner: 'o', fence: 1, expiresAtEpochMs: 0 };
    const operations = [
      () => store.read('a'),
      () => store.write('a', {}),
      () => store.delete('a'),
      () => store.take('a'),
      () => store.acquireLease('a', 'o', 1),
      () => store.releaseLease(lease),
    ];
    for (const operation of operations) await expect(operation()).rejects.toMatchObject({ failure: { code: 'store_failed' } });
  });

  it('has the limit that its client was given, also where another client of the same store has another', async () => {
    const store = memoryStore();
    expect(toldStore(store, { storeOperationMs: 1_000 })).not.toBe(toldStore(store, { storeOperationMs: 2_000 }));
    expect(toldStore(store, { storeOperationMs: 1_000 })).toBe(toldStore(store, { storeOperationMs: 1_000 }));
  });
});
