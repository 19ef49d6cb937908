/** A store whose writes fail for some keys, for as long as a test says. */
import { FailureError } from '../../src/failure.ts';
import type { Store } from '../../src/stores/contract.ts';

export interface BreakableStore {
  readonly store: Store;
  /** From now on writes to matching keys fail, the first `times` of them; `undefined` mends the store. */
  breakWrites(matches: ((key: string) => boolean) | undefined, times?: number): void;
}

export function breakableStore(sound: Store): BreakableStore {
  let isBroken: ((key: string) => boolean) | undefined;
  let left = 0;
  return {
    store: {
      ...sound,
      async write(key, value, options) {
        if (isBroken?.(key) === true && left > 0) {
          left -= 1;
          throw new FailureError('store_failed', 'storage', { reason: 'The disk is full.' });
        }
        return sound.write(key, value, options);
      },
    },
    breakWrites(matches, times = Number.POSITIVE_INFINITY) {
      isBroken = matches;
      left = times;
    },
  };
}

/** A store of which the next deletions fail, as many as a test says. */
export function breakableDeletes(sound: Store): { readonly store: Store; breakDeletes(times: number): void } {
  let failures = 0;
  return {
    store: {
      ...sound,
      async delete(key, options) {
        failures -= 1;
        if (failures >= 0) throw new FailureError('store_failed', 'storage', { reason: 'The disk is busy.' });
        return sound.delete(key, options);
      },
    },
    breakDeletes(times) {
      failures = times;
    },
  };
}
