/** Records in PostgreSQL, by the user's own client. */
export type { PgClient, PostgresClient, PostgresJsClient } from './stores/postgres-client.ts';
export { migratePostgres } from './stores/postgres-schema.ts';
export { type PostgresStoreOptions, postgresStore } from './stores/postgres-store.ts';
