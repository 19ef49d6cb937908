/** Two who share a store and look at the same record at the same instant, however fast each of them is. */
import type { Store } from '../../src/stores/contract.ts';

export interface InStep {
  readonly store: Store;
  /** From now on, reads of keys that hold this text wait for one another in pairs, so many times. */
  pair(inKey: string, times: number): void;
}

export function inStep(inner: Store): InStep {
  let paired = '';
  let left = 0;
  let first: (() => void) | undefined;
  return {
    pair(inKey, times) {
      paired = inKey;
      left = times * 2;
    },
    store: {
      ...inner,
      async read(key) {
        const record = await inner.read(key);
        if (left === 0 || !key.includes(paired)) return record;
        left -= 1;
        if (first === undefined) {
          await new Promise<void>((resolve) => {
            first = resolve;
          });
        } else {
          first();
          first = undefined;
        }
        return record;
      },
    },
  };
}
