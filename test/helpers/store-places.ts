/** A place of its own for the records of one test, in any of the stores that several processes can share. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { createClient } from 'redis';
import type { TestContext } from 'vitest';
import { migratePostgres } from '../../src/postgres.ts';
import type { StorePlace } from '../fixtures/killable/contract.ts';
import { type Database, postgresDatabase, redisDatabase } from './databases.ts';

export interface OwnPlace extends AsyncDisposable {
  readonly place: StorePlace;
  /** Files that others than their owner may read or write; `[]` is the outcome to expect. */
  openToOthers(): Promise<readonly string[]>;
}

export type MakePlace = (context: TestContext) => Promise<OwnPlace>;

export const inFiles: MakePlace = () => onDisk((directory) => ({ kind: 'file', directory }));
export const inSqlite: MakePlace = () => onDisk((directory) => ({ kind: 'sqlite', path: join(directory, 'records.db') }));

/** Call it at the top of a test file: the server it may have to start is stopped after its tests. */
export function inRedis(database: Database = redisDatabase()): MakePlace {
  return async (context) => {
    const url = await database.url(context);
    const prefix = `authchart-test:${randomUUID()}:`;
    return {
      place: { kind: 'redis', url, prefix },
      openToOthers: async () => [],
      async [Symbol.asyncDispose]() {
        const client = createClient({ url });
        await client.connect();
        const keys = await client.keys(`${prefix}*`);
        if (keys.length > 0) await client.del(keys);
        client.destroy();
      },
    };
  };
}

export function inPostgres(database: Database = postgresDatabase()): MakePlace {
  return async (context) => {
    const url = await database.url(context);
    const schema = `authchart_test_${randomUUID().replaceAll('-', '')}`;
    const pool = new Pool({ connectionString: url, max: 1 });
    await migratePostgres(pool, { schema });
    return {
      place: { kind: 'postgres', url, schema },
      openToOthers: async () => [],
      async [Symbol.asyncDispose]() {
        await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
        await pool.end();
      },
    };
  };
}

async function onDisk(placeIn: (directory: string) => StorePlace): Promise<OwnPlace> {
  const parent = await mkdtemp(join(tmpdir(), 'authchart-place-'));
  // Made by the store itself, so that its mode is the store's doing.
  const directory = join(parent, 'store');
  return {
    place: placeIn(directory),
    async openToOthers() {
      const wanted = new Map([[directory, 0o700]]);
      for (const name of await readdir(directory)) wanted.set(join(directory, name), 0o600);
      const open: string[] = [];
      for (const [path, mode] of wanted) {
        // What a process has deleted since the directory was read is open to nobody.
        const found = await stat(path).catch(ifMissing);
        if (found !== undefined && (found.mode & 0o777) !== mode) open.push(path);
      }
      return open;
    },
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}

function ifMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
