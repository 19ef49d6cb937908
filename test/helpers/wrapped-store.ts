/** A store each of whose operations goes through a function of the test's: to count it, to time it, to let it fail. */
import type { Store } from '../../src/stores/contract.ts';

/** @param key what the operation is about */
export type CarryOut = <Result>(operation: () => Promise<Result>, key: string) => Promise<Result>;

/** Without `watch`: its notices are hints, and no operation. */
export function wrappedStore(store: Store, carryOut: CarryOut): Store {
  return {
    read: (key) => carryOut(() => store.read(key), key),
    write: (key, ...given) => carryOut(() => store.write(key, ...given), key),
    delete: (key, ...given) => carryOut(() => store.delete(key, ...given), key),
    take: (key) => carryOut(() => store.take(key), key),
    acquireLease: (key, ...given) => carryOut(() => store.acquireLease(key, ...given), key),
    releaseLease: (lease) => carryOut(() => store.releaseLease(lease), lease.key),
  };
}
