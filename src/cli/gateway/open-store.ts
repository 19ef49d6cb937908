/** The store that replicas share, by the driver the user has installed beside their configuration. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../clock.ts';
import type { Store } from '../../stores/contract.ts';
import type { PostgresClient } from '../../stores/postgres-client.ts';
import type { RedisClient } from '../../stores/redis-client.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export interface OpenStore {
  readonly store: Store;
  /** What a person calls it, without the URL, which may hold a password. */
  readonly name: string;
  close(): Promise<void>;
}

const REDIS_PREFIX = 'authchart-gateway:';

interface NodeRedis extends Record<'evalSha' | 'eval', never> {
  connect(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}
interface IoRedis extends Record<'evalsha' | 'eval', never> {
  on(event: 'error', listener: () => void): unknown;
  disconnect(): void;
}
interface PgPool {
  on(event: 'error', listener: () => void): unknown;
  end(): Promise<unknown>;
}

/** @throws Ended `driver_missing`, `store_unreachable` */
export async function openStore(url: string, directory: string, clock: Clock): Promise<OpenStore> {
  return url.startsWith('redis') ? openRedis(url, directory, clock) : openPostgres(url, directory, clock);
}

async function openRedis(url: string, directory: string, clock: Clock): Promise<OpenStore> {
  const { redisStore } = await import('../../stores/redis-store.ts');
  const found = await driver(directory, ['redis', 'ioredis'], 'Redis');
  // The connection comes back by itself; its errors are those of the operations.
  const quiet = (): void => undefined;
  if (found.name === 'redis') {
    const { createClient } = found.module as { createClient(options: object): NodeRedis };
    const client = createClient({ url, disableOfflineQueue: true });
    const failing = new Promise((resolve) => client.on('error', () => resolve(undefined)));
    // Tried again in the background while Redis is down, and without end: nobody waits for that.
    const connecting = client.connect().then(quiet, quiet);
    await Promise.race([connecting, failing, clock.sleep(CONNECT_MS, undefined, { background: true })]);
    return named('Redis', redisStore({ client: client as unknown as RedisClient, prefix: REDIS_PREFIX, clock }), async () => {
      client.destroy();
    });
  }
  const { Redis } = found.module as { Redis: new (url: string, options: object) => IoRedis };
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on('error', quiet);
  return named('Redis', redisStore({ client: client as unknown as RedisClient, prefix: REDIS_PREFIX, clock }), async () =>
    client.disconnect(),
  );
}

/** The gateway must not wait for a store that is down: its answers are 503 then, and it is there when the store is. */
const CONNECT_MS = 5_000;

async function openPostgres(url: string, directory: string, clock: Clock): Promise<OpenStore> {
  const { migratePostgres } = await import('../../stores/postgres-schema.ts');
  const { postgresStore } = await import('../../stores/postgres-store.ts');
  const found = await driver(directory, ['pg', 'postgres'], 'PostgreSQL');
  const { client, close } = found.name === 'pg' ? pgPool(found.module, url) : postgresJs(found.module, url);
  try {
    await migratePostgres(client);
  } catch {
    await close().catch(() => {});
    throw new Ended(
      EXIT_CODES.storeFailed,
      'store_unreachable',
      'PostgreSQL could not be reached, or does not let this user make the tables.',
      'See that the URL of --store is right and its user may create the schema "authchart"; then start again.',
    );
  }
  return named('PostgreSQL', postgresStore({ client, clock }), close);
}

function pgPool(module: unknown, url: string): { readonly client: PostgresClient; close(): Promise<void> } {
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

function postgresJs(module: unknown, url: string): { readonly client: PostgresClient; close(): Promise<void> } {
  const postgres = (module as { default: (url: string, options: object) => PostgresClient & { end(): Promise<void> } }).default;
  const client = postgres(url, { connect_timeout: CONNECT_MS / 1000, onnotice: () => {} });
  return { client, close: () => client.end() };
}

const named = (name: string, store: Store, close: () => Promise<void>): OpenStore => ({ name, store, close });

/** From the working directory: authchart itself may be installed elsewhere, and brings no driver. */
async function driver(
  directory: string,
  names: readonly string[],
  database: string,
): Promise<{ readonly name: string; readonly module: unknown }> {
  const require = createRequire(pathToFileURL(join(directory, 'package.json')));
  for (const name of names) {
    let path: string;
    try {
      path = require.resolve(name);
    } catch {
      continue;
    }
    return { name, module: await import(pathToFileURL(path).href) };
  }
  throw new Ended(
    EXIT_CODES.usage,
    'driver_missing',
    `--store needs a driver for ${database}, and none is installed in the working directory.`,
    `Install one there: npm install ${names.join(', or npm install ')}.`,
  );
}
