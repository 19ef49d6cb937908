/** A store that says how long it was at work: from the first question of several at once to the last answer. */
import type { Store } from '../../src/stores/contract.ts';

export interface TimedStore {
  readonly store: Store;
  /** Milliseconds in which at least one answer was waited for. */
  busyMs(): number;
}

export function timedStore(inner: Store): TimedStore {
  let underWay = 0;
  let since = 0;
  let busy = 0;
  const timed =
    <Parameters extends readonly unknown[], Result>(operation: (...parameters: Parameters) => Promise<Result>) =>
    async (...parameters: Parameters): Promise<Result> => {
      if (underWay === 0) since = performance.now();
      underWay += 1;
      try {
        return await operation(...parameters);
      } finally {
        underWay -= 1;
        if (underWay === 0) busy += performance.now() - since;
      }
    };
  return {
    store: {
      read: timed(inner.read.bind(inner)),
      write: timed(inner.write.bind(inner)),
      delete: timed(inner.delete.bind(inner)),
      take: timed(inner.take.bind(inner)),
      acquireLease: timed(inner.acquireLease.bind(inner)),
      releaseLease: timed(inner.releaseLease.bind(inner)),
    },
    busyMs: () => busy,
  };
}
