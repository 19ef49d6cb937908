/** A store each of whose operations goes through a function of the test's: to count it, to time it, to let it fail. */
import type { Store } from '../../src/stores/contract.ts';

export type CarryOut = <Result>(operation: () => Promise<Result>) => Promise<Result>;

/** Without `watch`: its notices are hints, and no operation. */
export function wrappedStore(store: Store, carryOut: CarryOut): Store {
  return {
    read: (...given) => carryOut(() => store.read(...given)),
    write: (...given) => carryOut(() => store.write(...given)),
    delete: (...given) => carryOut(() => store.delete(...given)),
    take: (...given) => carryOut(() => store.take(...given)),
    acquireLease: (...given) => carryOut(() => store.acquireLease(...given)),
    releaseLease: (...given) => carryOut(() => store.releaseLease(...given)),
  };
}
