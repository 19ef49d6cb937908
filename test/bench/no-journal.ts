/** Stands in for `src/durable/journal.ts` in a build that shows what journalling costs: nothing is written down. */
import type { Journal } from '../../src/durable/journal.ts';

export function createJournal(): Journal {
  return {
    record() {},
    flushed: async () => {},
    read: async () => undefined,
    version: null,
    isOvertaken: async () => false,
    overwrite: async () => {},
    giveUp() {},
  };
}
