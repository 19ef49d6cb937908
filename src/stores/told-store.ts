/** Anyone's store, with errors that authchart understands: its authors have no `FailureError`, and throw what their driver throws. */
import { FailureError, kindOf } from '../failure.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { answerInTime } from './answer-in-time.ts';
import type { Store } from './contract.ts';

// One for each store and limit, however many clients share it; a vault that is the store stays the same object.
const told = new WeakMap<Store, Map<number, Store>>();

/**
 * The same store; whatever it throws is a `store_failed` that names the kind of error and repeats nothing of its text
 * (SEC-01), and so is an answer that does not come.
 */
export function toldStore(store: Store, { storeOperationMs }: Pick<Limits, 'storeOperationMs'> = DEFAULT_LIMITS): Store {
  const known = told.get(store)?.get(storeOperationMs);
  if (known !== undefined) return known;
  const inTime = answerInTime(storeOperationMs);
  const telling = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    try {
      return await inTime(operation);
    } catch (thrown) {
      if (thrown instanceof FailureError) throw thrown;
      throw new FailureError('store_failed', 'storage', { reason: `(${kindOf(thrown)})` });
    }
  };
  const made: Store = {
    read: (key) => telling(() => store.read(key)),
    write: (key, value, options) => telling(() => store.write(key, value, options)),
    delete: (key, options) => telling(() => store.delete(key, options)),
    take: (key) => telling(() => store.take(key)),
    acquireLease: (key, owner, durationMs) => telling(() => store.acquireLease(key, owner, durationMs)),
    releaseLease: (lease) => telling(() => store.releaseLease(lease)),
    ...watchOf(store),
  };
  told.set(store, (told.get(store) ?? new Map<number, Store>()).set(storeOperationMs, made));
  return made;
}

/** `watch` as far as the store has one; notices are hints, and one that fails only costs speed. */
function watchOf(store: Store): Pick<Store, 'watch'> {
  if (store.watch === undefined) return {};
  return {
    watch(key, listener) {
      try {
        return store.watch?.(key, listener) ?? (() => {});
      } catch {
        return () => {};
      }
    },
  };
}
