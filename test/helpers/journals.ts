/** A journal, and a store whose writes a test ends one by one. */
import { createJournal } from '../../src/durable/journal.ts';
import type { Failure } from '../../src/failure.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { simulatedClock } from './simulated-clock.ts';

/** A store whose writes end when, and as, the test says. */
export function slowStore() {
  const store = memoryStore();
  const writes: { value: unknown; finish(): void; fail(error: Error): void }[] = [];
  const write: Store['write'] = (key, value, options) =>
    new Promise((resolve, reject) => {
      writes.push({ value: value['value'], finish: () => resolve(store.write(key, value, options)), fail: reject });
    });
  return { store: { ...store, write }, writes };
}

export function journalOn(store: Store) {
  const reported: Failure[] = [];
  const clock = simulatedClock();
  const journal = createJournal({ store, key: 'flow/a', clock, report: (failure) => void reported.push(failure) });
  return { journal, reported, clock };
}
