/** A store that says how long it was at work: from the first question of several at once to the last answer. */
import type { Store } from '../../src/stores/contract.ts';
import { wrappedStore } from '../helpers/wrapped-store.ts';

export interface TimedStore {
  readonly store: Store;
  /** Milliseconds in which at least one answer was waited for. */
  busyMs(): number;
}

export function timedStore(inner: Store): TimedStore {
  let underWay = 0;
  let since = 0;
  let busy = 0;
  const store = wrappedStore(inner, async (operation) => {
    if (underWay === 0) since = performance.now();
    underWay += 1;
    try {
      return await operation();
    } finally {
      underWay -= 1;
      if (underWay === 0) busy += performance.now() - since;
    }
  });
  return { store, busyMs: () => busy };
}
