/** Anyone's store, with errors that authchart understands: its authors have no `FailureError`, and throw what their driver throws. */
import { FailureError, kindOf } from '../failure.ts';
import type { Store } from './contract.ts';

// One for each store, however many clients share it; a vault that is the store stays the same object.
const told = new WeakMap<Store, Store>();

/** The same store; whatever it throws is a `store_failed` that names the kind of error and repeats nothing of its text (SEC-01). */
export function toldStore(store: Store): Store {
  const known = told.get(store);
  if (known !== undefined) return known;
  const made: Store = {
    read: (key) => telling(() => store.read(key)),
    write: (key, value, options) => telling(() => store.write(key, value, options)),
    delete: (key, options) => telling(() => store.delete(key, options)),
    take: (key) => telling(() => store.take(key)),
    acquireLease: (key, owner, durationMs) => telling(() => store.acquireLease(key, owner, durationMs)),
    releaseLease: (lease) => telling(() => store.releaseLease(lease)),
    ...watchOf(store),
  };
  told.set(store, made);
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

async function telling<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError('store_failed', 'storage', { reason: `(${kindOf(thrown)})` });
  }
}
