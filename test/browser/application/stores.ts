/** A page that does what tests of the store ask for: in this frame, and in another that shares its database. */
import { browserSealingKey, type IndexedDbStore, indexedDbStore } from 'authchart/browser';
import { sealed } from 'authchart/sealed';
import { storeContract } from 'authchart/store-contract';

export interface StoresPage {
  indexedDbStore: typeof indexedDbStore;
  browserSealingKey: typeof browserSealingKey;
  sealed: typeof sealed;
  /** Stores that tests left in the page, by name. */
  readonly stores: Record<string, IndexedDbStore>;
  /** Runs one case of the store contract; rejects with what was wrong. */
  runCase(title: string): Promise<void>;
}

declare global {
  var storesPage: StoresPage;
}

/** Another document of the same origin: its own connection, locks and channel, as another tab has them. */
async function otherFrame(): Promise<{ readonly page: StoresPage; readonly frame: HTMLIFrameElement }> {
  const frame = document.createElement('iframe');
  frame.src = '/stores';
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  const { storesPage: page } = frame.contentWindow as unknown as typeof globalThis;
  return { page, frame };
}

globalThis.storesPage = {
  indexedDbStore,
  browserSealingKey,
  sealed,
  stores: {},
  async runCase(title) {
    const found = storeContract.find((one) => one.title === title);
    if (found === undefined) throw new Error(`The contract has no case "${title}".`);
    const name = `contract ${crypto.randomUUID()}`;
    let laterMs = 0;
    const clock = { now: () => Date.now() + laterMs, sleep: () => new Promise<void>(() => {}) };
    const { page, frame } = await otherFrame();
    const [store, second] = [indexedDbStore({ name, clock }), page.indexedDbStore({ name, clock })];
    await found.run(() => ({
      store,
      second,
      advance: async (durationMs) => {
        laterMs += durationMs;
      },
      async dispose() {
        await Promise.all([store.close(), second.close()]);
        frame.remove();
        indexedDB.deleteDatabase(name);
      },
    }));
  },
};
