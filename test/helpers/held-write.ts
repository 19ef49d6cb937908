/** A store in which one write waits: the moment between deciding and storing, for as long as a test needs it. */
import type { Store } from '../../src/stores/contract.ts';

export interface HeldWrite {
  /** Resolves when the write has come and waits. */
  readonly reached: Promise<void>;
  /** Lets it happen. */
  release(): void;
}

/** Holds the first write that matches; those after it pass. */
export function holdWrite(store: Store, matches: (...parameters: Parameters<Store['write']>) => boolean): HeldWrite {
  const { write } = store;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    Object.assign(store, {
      write: async (...parameters: Parameters<Store['write']>) => {
        if (matches(...parameters)) {
          Object.assign(store, { write });
          resolve();
          await released;
        }
        return write(...parameters);
      },
    });
  });
  return { reached, release: () => release() };
}
