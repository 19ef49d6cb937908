/** What a store must do that tells of changes; part of `store-contract.ts`. One without `watch` has nothing to show. */
import type { Store } from './contract.ts';
import { type ContractCases, equal, leased } from './store-contract-checks.ts';

/** Notices are hints and may take their time; one that takes longer is of no use to anyone. */
const NOTICED_WITHIN_MS = 5_000;

const changes: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  'a write': (store) => store.write('a', { n: 1 }),
  'a take': (store) => store.take('a'),
  'another write': (store) => store.write('a', { n: 2 }),
  'a deletion': (store) => store.delete('a'),
  'the release of a lease': async (store) => store.releaseLease(await leased(store, 'a', 'first')),
};

export const watchCases: ContractCases = {
  'tells whoever watches a key of each change, in every process': async (_store, _under, handles) => {
    for (const [what, change] of Object.entries(changes)) {
      const told = [noticed(handles(0), 'a', what), noticed(handles(1), 'a', what)];
      await change(handles(0));
      await Promise.all(told);
    }
  },

  'tells nobody who has stopped watching, and goes on when a listener throws': async (store, _under, handles) => {
    let calls = 0;
    const stop = handles(1).watch?.('a', () => {
      calls += 1;
    });
    stop?.();
    stop?.();
    const stopThrowing = handles(1).watch?.('a', () => {
      throw new Error('a listener of the contract');
    });
    const told = noticed(handles(1), 'a', 'a write');
    await store.write('a', { n: 1 });
    await told;
    stopThrowing?.();
    equal(calls, 0);
  },
};

/** Resolves with the next notice; at once where the store gives none. */
function noticed(store: Store, key: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (store.watch === undefined) {
      resolve();
      return;
    }
    const stop = store.watch(key, () => {
      clearTimeout(timer);
      stop();
      resolve();
    });
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`No notice of ${what} of ${key}.`));
    }, NOTICED_WITHIN_MS);
  });
}
