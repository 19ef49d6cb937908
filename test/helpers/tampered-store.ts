/** A store in which one record is not what was written there: anything JSON can say. */
import type { JsonObject, Store, StoredRecord } from '../../src/stores/contract.ts';

export interface TamperedStore {
  readonly store: Store;
  /** The record is as the test has left it: nobody has replaced or deleted it. */
  isUntouched(): boolean;
}

/** `text`: the record's value as JSON, so that it can be deeper than objects that are made by hand, and have any member. */
export function tamperedStore(sound: Store, key: string, text: string): TamperedStore {
  let isUntouched = true;
  const tampered = (): StoredRecord => ({ value: JSON.parse(text) as JsonObject, version: 'tampered' });
  const touch = (): void => {
    isUntouched = false;
  };
  const isIt = (one: string): boolean => isUntouched && one === key;
  return {
    isUntouched: () => isUntouched,
    store: {
      ...sound,
      read: async (one) => (isIt(one) ? tampered() : sound.read(one)),
      async write(one, value, options = {}) {
        if (!isIt(one)) return sound.write(one, value, options);
        if (options.expected !== undefined && options.expected !== 'tampered') return { written: false, current: tampered() };
        touch();
        const { expected: _, ...rest } = options;
        return sound.write(one, value, rest);
      },
      async delete(one, options = {}) {
        if (!isIt(one)) return sound.delete(one, options);
        if (options.expected !== undefined && options.expected !== 'tampered') return false;
        touch();
        return sound.delete(one);
      },
      async take(one) {
        if (!isIt(one)) return sound.take(one);
        touch();
        await sound.delete(one);
        return tampered();
      },
    },
  };
}
