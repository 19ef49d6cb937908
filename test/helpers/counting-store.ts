/** A store that counts what it is asked. */
import type { Store } from '../../src/stores/contract.ts';
import { wrappedStore } from './wrapped-store.ts';

export function countingStore(store: Store): { readonly store: Store; operations(): number } {
  let operations = 0;
  const counted = wrappedStore(store, (operation) => {
    operations += 1;
    return operation();
  });
  return {
    store: { ...counted, ...(store.watch && { watch: store.watch.bind(store) }) },
    operations: () => operations,
  };
}
