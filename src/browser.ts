/** The parts for web pages: records in IndexedDB, and ways to send the user to the authorization page and back. */
export { type BrowserSealingKeyOptions, browserSealingKey } from './stores/browser-sealing-key.ts';
export { type IndexedDbStore, indexedDbStore } from './stores/indexeddb-store.ts';
