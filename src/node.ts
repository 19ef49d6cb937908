/** The parts that need Node: records in files or in a SQLite database, and ways to bring a person to the browser and back. */
export { fileStore } from './stores/file-store.ts';
export { type SqliteStore, sqliteStore } from './stores/sqlite-store.ts';
export { type LoopbackOptions, loopback } from './user-agents/loopback.ts';
export { type ManualOptions, manual } from './user-agents/manual.ts';
