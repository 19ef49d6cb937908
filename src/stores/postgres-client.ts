/** The user's own PostgreSQL client, whichever library it is of, as a function that runs a statement. */
import { FailureError } from '../failure.ts';
import { misconfigured } from '../misconfigured.ts';
import { databaseErrorCode, databaseFailure } from './database-errors.ts';

/** Pools and clients of `pg`, and what offers the same call. */
export interface PgClient {
  query(text: string, values: (string | null)[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** The `sql` of `postgres` (postgres.js). */
export interface PostgresJsClient {
  unsafe(text: string, values: (string | null)[]): PromiseLike<readonly unknown[]>;
}

export type PostgresClient = PgClient | PostgresJsClient;

/** All columns of our statements are text: drivers differ in how they read anything else. */
export type Row = Readonly<Record<string, string | null>>;

export type RunStatement = (text: string, values: (string | null)[]) => Promise<readonly Row[]>;

/** Raised by our own statements where the schema is of a newer version. */
export const NEWER_SCHEMA = 'AC001';

/**
 * Where the database's default is to serialize transactions, it may refuse a
 * statement that met another, undone as a whole: then it is simply run again.
 */
const UNDONE = new Set(['40001', '40P01']);
const TRIES = 20;

export function statementRunner(client: PostgresClient, schema: string): RunStatement {
  const query = queryOf(client);
  return async (text, values) => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await query(text, values);
      } catch (thrown) {
        const code = databaseErrorCode(thrown) ?? '';
        if (!UNDONE.has(code) || tried === TRIES) throw postgresFailure(thrown, code, schema);
      }
    }
  };
}

function queryOf(client: PostgresClient): RunStatement {
  if ('unsafe' in client) return async (text, values) => (await client.unsafe(text, values)) as readonly Row[];
  if ('query' in client) return async (text, values) => (await client.query(text, values)).rows as readonly Row[];
  throw misconfigured(['The client of the PostgreSQL store runs no statements: pass a Pool or Client of pg, or the sql of postgres.']);
}

function postgresFailure(thrown: unknown, code: string, schema: string): FailureError {
  // Undefined table or schema.
  if (code === '42P01' || code === '3F000') {
    return new FailureError('store_failed', 'storage', {
      reason: `The schema "${schema}" does not hold the tables yet: run migratePostgres once.`,
    });
  }
  if (code === NEWER_SCHEMA) return newerSchema(schema);
  return databaseFailure(thrown, 'PostgreSQL');
}

export function newerSchema(schema: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason: `The schema "${schema}" has a newer version.`, isNewer: true });
}
