/** The parts for web pages: records in IndexedDB, and ways to send the user to the authorization page and back. */
export { type CompletingClient, completeFromPage, completeFromPopup } from './complete-from-page.ts';
export { type BrowserSealingKeyOptions, browserSealingKey } from './stores/browser-sealing-key.ts';
export { type IndexedDbStore, indexedDbStore } from './stores/indexeddb-store.ts';
export { type PageRedirectOptions, pageRedirect } from './user-agents/page-redirect.ts';
export { type ClickedClient, type PopupOptions, type PopupUserAgent, popup } from './user-agents/popup.ts';
