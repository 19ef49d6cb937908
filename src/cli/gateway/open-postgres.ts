/** PostgreSQL as the store of a gateway: its tables are made at the start, and only looked for by a check. */
import type { Clock } from '../../clock.ts';
import { AuthorizationError } from '../../errors.ts';
import { databaseErrorCode } from '../../stores/database-errors.ts';
import type { PostgresClient } from '../../stores/postgres-client.ts';
import { lookAtSchema, migratePostgres } from '../../stores/postgres-schema.ts';
import { postgresStore } from '../../stores/postgres-store.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { CONNECT_MS, type Driver, type OpenStore } from './store-driver.ts';

interface PgPool {
  on(event: 'error', listener: () => void): unknown;
  end(): Promise<unknown>;
}

interface Connection {
  readonly client: PostgresClient;
  close(): Promise<void>;
}

interface PostgresOpening {
  readonly url: string;
  readonly clock: Clock;
  /** Makes nothing. */
  readonly isCheck: boolean;
}

/** @throws Ended `store_unreachable`, `store_refused`, `store_newer`, `store_failed` */
export async function openPostgres({ name, module }: Driver, { url, clock, isCheck }: PostgresOpening): Promise<OpenStore> {
  const { client, close } = name === 'pg' ? pgPool(module, url) : postgresJs(module, url);
  try {
    await greet(client);
    const { isMade, mayMake } = await lookAtSchema(client);
    if (!isMade && !mayMake) throw noTables();
    if (!isCheck) await migratePostgres(client);
    return { name: 'PostgreSQL', store: postgresStore({ client, clock }), isEmpty: !isMade && isCheck, close };
  } catch (thrown) {
    await close().catch(() => {});
    throw thrown instanceof Ended ? thrown : schemaFailed(thrown);
  }
}

function pgPool(module: unknown, url: string): Connection {
  const { Pool } = ((module as { default?: unknown }).default ?? module) as { Pool: new (options: object) => PgPool };
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  pool.on('error', () => {});
  return {
    client: pool as unknown as PostgresClient,
    close: async () => {
      await pool.end();
    },
  };
}

function postgresJs(module: unknown, url: string): Connection {
  const postgres = (module as { default: (url: string, options: object) => PostgresClient & { end(): Promise<void> } }).default;
  const client = postgres(url, { connect_timeout: CONNECT_MS / 1000, onnotice: () => {} });
  return { client, close: () => client.end() };
}

/** By itself, so that what fails is the connection. */
async function greet(client: PostgresClient): Promise<void> {
  try {
    await ('unsafe' in client ? client.unsafe('SELECT 1', []) : client.query('SELECT 1', []));
  } catch (thrown) {
    throw notConnected(databaseErrorCode(thrown));
  }
}

const failed = (code: string, message: string, advice: string): Ended => new Ended(EXIT_CODES.storeFailed, code, message, advice);

/** SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html> */
function notConnected(code: string | undefined): Ended {
  const what = code === undefined ? '' : ` (${code})`;
  switch (code) {
    case '28000':
    case '28P01':
      return failed(
        'store_refused',
        `PostgreSQL does not let in the user of --store with its password${what}.`,
        'Mend user and password in the URL of --store, or what pg_hba.conf asks of them.',
      );
    case '3D000':
      return failed(
        'store_refused',
        `PostgreSQL has no database of the name in --store${what}.`,
        'Create it there, or mend its name in the URL of --store.',
      );
    case '53300':
    case '57P03':
      return failed('store_unreachable', `PostgreSQL takes no connection now${what}.`, 'Start again when it does.');
    default:
      return failed(
        'store_unreachable',
        `PostgreSQL could not be reached${what}.`,
        'See that the URL of --store is right, with what it says of TLS, and that PostgreSQL runs there; then start again.',
      );
  }
}

function noTables(): Ended {
  return failed(
    'store_refused',
    'PostgreSQL does not let the user of --store make its tables.',
    'Let it create the schema "authchart" in that database, or run migratePostgres once as a user who may.',
  );
}

function schemaFailed(thrown: unknown): Ended {
  const { details, message } = thrown instanceof AuthorizationError ? thrown.failure : { details: undefined, message: '' };
  if (details?.isNewer === true) {
    return failed(
      'store_newer',
      'The tables in PostgreSQL (--store) are of a newer version of authchart; nothing was changed.',
      'Start that version here, too.',
    );
  }
  return failed(
    'store_failed',
    `The tables in PostgreSQL (--store) could not be read or made. ${message}`.trim(),
    'See its log for the statement that failed.',
  );
}
