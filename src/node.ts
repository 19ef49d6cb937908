/** The parts that need Node: records in files or in a SQLite database, ways to bring a person to the browser and back, guarded connections. */
export { type PublicLookupOptions, publicLookup } from './public-lookup.ts';
export { fileStore } from './stores/file-store.ts';
export { type SqliteStore, sqliteStore } from './stores/sqlite-store.ts';
export { type LoopbackOptions, loopback } from './user-agents/loopback.ts';
export { type ManualOptions, manual } from './user-agents/manual.ts';
