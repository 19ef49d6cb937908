import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import type { Lease, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { toldStore } from '../../src/stores/told-store.ts';

const LEASE: Lease = { key: 'a', owner: 'o', fence: 1, expiresAtEpochMs: 0 };

const OPERATIONS: readonly [name: Exclude<keyof Store, 'watch'>, call: (store: Store) => Promise<unknown>][] = [
  ['read', (store) => store.read('a')],
  ['write', (store) => store.write('a', {})],
  ['delete', (store) => store.delete('a')],
  ['take', (store) => store.take('a')],
  ['acquireLease', (store) => store.acquireLease('a', 'o', 1)],
  ['releaseLease', (store) => store.releaseLease(LEASE)],
];

const throwing = (thrown: unknown): Store =>
  Object.fromEntries(
    OPERATIONS.map(([name]) => [
      name,
      () => {
        throw thrown;
      },
    ]),
  ) as unknown as Store;

describe('the store of an embedder', () => {
  it.each(OPERATIONS)(
    'fails as a store when %s throws an error of its driver, whose text is not repeated (STO-01, SEC-01)',
    async (_, call) => {
      const failed = await call(toldStore(throwing(new RangeError('SECRET-value at redis://user:word@host')))).catch(
        (thrown: unknown) => thrown,
      );
      expect(failed).toBeInstanceOf(FailureError);
      expect(failed).toMatchObject({
        failure: { code: 'store_failed', phase: 'storage', retryable: true, details: { reason: '(RangeError)' } },
      });
      expect(JSON.stringify(failed)).not.toContain('SECRET');
    },
  );

  it('keeps the failure that one of our stores names', async () => {
    const unreadable = new FailureError('record_unreadable', 'storage');
    await expect(toldStore(throwing(unreadable)).read('a')).rejects.toBe(unreadable);
  });

  it('tells of changes if it can, and only then (STO-01)', async () => {
    const store = memoryStore();
    const told: string[] = [];
    const stop = toldStore(store).watch?.('a', () => told.push('a'));
    await store.write('a', {});
    stop?.();
    await store.write('a', {});
    expect(told).toEqual(['a']);
    const { watch: _, ...silent } = memoryStore();
    expect(toldStore(silent).watch).toBeUndefined();
  });

  it('is polled where watching fails (STO-01)', () => {
    const failing = {
      ...memoryStore(),
      watch() {
        throw new Error('no channel');
      },
    };
    expect(() => toldStore(failing).watch?.('a', () => {})()).not.toThrow();
  });

  it('is one object for one store, and no other than it was', async () => {
    const store = memoryStore();
    expect(toldStore(store)).toBe(toldStore(store));
    await toldStore(store).write('a', { b: 1 });
    expect((await store.read('a'))?.value).toEqual({ b: 1 });
  });
});
