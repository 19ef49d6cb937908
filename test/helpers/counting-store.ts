/** A store that counts what it is asked. */
import type { Store } from '../../src/stores/contract.ts';

export function countingStore(store: Store): { readonly store: Store; operations(): number } {
  let operations = 0;
  const counted =
    <Parameters extends readonly unknown[], Result>(operation: (...parameters: Parameters) => Result) =>
    (...parameters: Parameters): Result => {
      operations += 1;
      return operation(...parameters);
    };
  return {
    store: {
      read: counted(store.read.bind(store)),
      write: counted(store.write.bind(store)),
      delete: counted(store.delete.bind(store)),
      take: counted(store.take.bind(store)),
      acquireLease: counted(store.acquireLease.bind(store)),
      releaseLease: counted(store.releaseLease.bind(store)),
      ...(store.watch && { watch: store.watch.bind(store) }),
    },
    operations: () => operations,
  };
}
