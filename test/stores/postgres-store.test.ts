import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool } from 'pg';
import postgres from 'postgres';
import { describe, expect, it, type TestContext } from 'vitest';
import { migratePostgres, type PostgresClient, postgresStore } from '../../src/postgres.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { postgresDatabase } from '../helpers/databases.ts';
import { freePort } from '../helpers/free-port.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const database = postgresDatabase();
const unreadable = { failure: { code: 'record_unreadable', phase: 'storage' } };
const CLOCKS_DIFFER_MS = 20;

describe.each(['a pool of pg', 'postgres', 'a pool that serializes'] as const)('PostgreSQL store by %s', (library) => {
  for (const { title, run } of storeContract) {
    it.concurrent(`${title} (STO-01, STO-02)`, async (context) => {
      const serializes = library === 'a pool that serializes';
      const { pool, sql, schema } = await place(context, serializes ? '-c default_transaction_isolation=serializable' : '');
      const [client, other] = library === 'postgres' ? [sql, pool] : [pool, serializes ? pool : sql];
      await migratePostgres(client, { schema });
      await run(() => ({
        store: postgresStore({ client, schema }),
        second: postgresStore({ client: other, schema }),
        advance: (durationMs) => sleep(durationMs + CLOCKS_DIFFER_MS),
      }));
    });
  }
});

describe('PostgreSQL store', () => {
  it('sweeps what has expired, a bounded number at a time (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const { rows } = await pool.query(`
      INSERT INTO "${schema}".authchart_records (digest, key, version, value, expires_at_epoch_ms)
      SELECT sha256(n::text::bytea), n, 'version', '{}', CASE WHEN n <= 600 THEN n END FROM generate_series(1, 610) AS n RETURNING key`);
    expect(rows).toHaveLength(610);
    const left: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await postgresStore({ client: pool, schema }).write('new', {}, { expiresAtEpochMs: Date.now() + 60_000 });
      left.push(await countOf(pool, `"${schema}".authchart_records`));
    }
    expect(left).toEqual([355, 99, 11, 11]);
  });

  it('sweeps the leases that ended long ago, and their fences still grow (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const store = postgresStore({ client: pool, schema });
    const lease = (await store.acquireLease('a', 'owner', 1_000)) ?? expect.fail('no lease');
    await store.acquireLease('b', 'owner', 1_000);
    await pool.query(`UPDATE "${schema}".authchart_leases SET ends_at_epoch_ms = ends_at_epoch_ms - 90000000 WHERE key = 'a'`);
    await store.write('new', {}, { expiresAtEpochMs: Date.now() + 60_000 });
    expect((await pool.query(`SELECT key FROM "${schema}".authchart_leases`)).rows).toEqual([{ key: 'b' }]);
    expect((await store.acquireLease('a', 'owner', 1_000))?.fence).toBeGreaterThan(lease.fence);
  });

  it('keeps a record although the sweep after it fails (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const client: PostgresClient = {
      query: (text, values) => (text.includes('SKIP LOCKED') ? Promise.reject(new Error('disk full')) : pool.query(text, values)),
    };
    const store = postgresStore({ client, schema });
    expect(await store.write('a', {}, { expiresAtEpochMs: Date.now() + 60_000 })).toMatchObject({ written: true });
  });

  it('shows who is refused what the winner wrote, also where it had to wait for it (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const store = postgresStore({ client: pool, schema });
    const winner = await pool.connect();
    await winner.query('BEGIN');
    await postgresStore({ client: winner, schema }).write('a', { from: 'winner' });
    const refused = store.write('a', { from: 'loser' }, { expected: null });
    await untilBlocked(pool, schema);
    await winner.query('COMMIT');
    winner.release();
    expect(await refused).toMatchObject({ written: false, current: { value: { from: 'winner' } } });
  });

  it('keeps keys that are longer than an index entry, and text with U+0000 (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const store = postgresStore({ client: pool, schema });
    const key = Array.from({ length: 500 }, () => randomUUID()).join('/');
    await store.write(key, { text: 'before\u0000after' });
    expect((await store.read(key))?.value).toEqual({ text: 'before\u0000after' });
    expect(await store.read(key.slice(0, -1))).toBeUndefined();
  });

  it('means what the clock of its caller means, however far that is from the one of the database (STO-02)', async (context) => {
    const { pool, schema } = await migrated(context);
    const clock = simulatedClock();
    const store = postgresStore({ client: pool, schema, clock });
    await store.write('a', { n: 1 }, { expiresAtEpochMs: clock.now() + 60_000 });
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    await store.write('b', { n: 1 }, { expiresAtEpochMs: Number.POSITIVE_INFINITY });
    expect((await store.read('b'))?.value).toEqual({ n: 1 });
    expect((await store.acquireLease('a', 'owner', 5_000))?.expiresAtEpochMs).toBe(clock.now() + 5_000);
  });

  it('reports a record of a newer format and leaves it (STO-02, STO-05)', async (context) => {
    const { pool, schema } = await migrated(context);
    const store = postgresStore({ client: pool, schema });
    await store.write('a', { n: 1 });
    await pool.query(`UPDATE "${schema}".authchart_records SET format = 2`);
    const operations = [() => store.read('a'), () => store.take('a'), () => store.delete('a'), () => store.write('a', {})];
    for (const operate of [...operations, () => store.write('a', {}, { expected: null }), () => store.write('a', {}, { expected: 'x' })]) {
      await expect(operate()).rejects.toMatchObject(unreadable);
    }
    const { rows } = await pool.query(`SELECT value, format FROM "${schema}".authchart_records`);
    expect(rows).toEqual([{ value: { n: 1 }, format: 2 }]);
  });

  it('works again after its connections were ended (STO-02)', async (context) => {
    const { pool, schema, sql } = await migrated(context);
    const store = postgresStore({ client: pool, schema });
    await store.write('a', { token: 'planted-secret' });
    const failed = pool.query('SELECT pg_sleep(30)').catch(() => 'ended');
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${schema} AND pid <> pg_backend_pid()`.catch(
      () => undefined,
    );
    expect(await failed).toBe('ended');
    await expect.poll(() => store.read('a').catch(() => undefined)).toMatchObject({ value: { token: 'planted-secret' } });
  });
});

describe('the migration of PostgreSQL', () => {
  it('makes the tables once, however many run it at once (STO-02)', async (context) => {
    const { pool, sql, schema } = await place(context);
    await Promise.all(Array.from({ length: 16 }, (_, index) => migratePostgres(index % 2 === 0 ? pool : sql, { schema })));
    await postgresStore({ client: pool, schema }).write('a', { n: 1 });
    await migratePostgres(pool, { schema });
    expect((await postgresStore({ client: sql, schema }).read('a'))?.value).toEqual({ n: 1 });
    expect((await pool.query(`SELECT version FROM "${schema}".authchart_schema`)).rows).toEqual([{ version: 1 }]);
  });

  it('leaves a schema of a newer version alone, and so does the store (STO-02, STO-05)', async (context) => {
    const { pool, schema } = await place(context);
    await pool.query(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".authchart_schema (version integer NOT NULL)`);
    await pool.query(`INSERT INTO "${schema}".authchart_schema (version) VALUES (1), (2)`);
    await expect(migratePostgres(pool, { schema })).rejects.toMatchObject(unreadable);
    await expect(postgresStore({ client: pool, schema }).read('a')).rejects.toMatchObject(unreadable);
    const { rows } = await pool.query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [schema]);
    expect(rows).toEqual([{ table_name: 'authchart_schema' }]);
  });

  it('does nothing by halves where tables of others have its names (STO-02)', async (context) => {
    const { pool, schema } = await place(context);
    await pool.query(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".authchart_leases (n integer)`);
    await expect(migratePostgres(pool, { schema })).rejects.toMatchObject({
      failure: { code: 'store_failed', details: { reason: '(42P07 from PostgreSQL)' } },
    });
    const { rows } = await pool.query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [schema]);
    expect(rows).toEqual([{ table_name: 'authchart_leases' }]);
  });

  it('is asked for where it has not been run, and then found (STO-02)', async (context) => {
    const { pool, schema } = await place(context);
    const store = postgresStore({ client: pool, schema });
    const reason = `The schema "${schema}" does not hold the tables yet: run migratePostgres once.`;
    await expect(store.read('a')).rejects.toMatchObject({ failure: { code: 'store_failed', details: { reason } } });
    await migratePostgres(pool, { schema });
    expect(await store.read('a')).toBeUndefined();
  });

  it.for(['a"; DROP SCHEMA public; --', '', 'a b', "a'", 'x'.repeat(64)])('refuses %j as a schema (STO-02)', async (schema) => {
    const invalid = { code: 'invalid_configuration', failure: { phase: 'configuration' } };
    const client: PostgresClient = { query: () => expect.fail('nothing may be sent') };
    await expect(migratePostgres(client, { schema })).rejects.toMatchObject(invalid);
    expect(() => postgresStore({ client, schema })).toThrow(/^The configuration is wrong\. .*\[invalid_configuration\]$/);
  });
});

describe('PostgreSQL store that cannot', () => {
  it.for([
    {
      error: Object.assign(new Error('postgres://user:planted-secret@host'), { code: 'ENOTFOUND' }),
      reason: '(ENOTFOUND from PostgreSQL)',
    },
    {
      error: Object.assign(new Error('planted-secret'), { code: 'planted-secret', detail: 'planted-secret' }),
      reason: '(Error from PostgreSQL)',
    },
    { error: undefined, reason: '(undefined from PostgreSQL)' },
  ])('names $reason and nothing of the error (STO-02)', async ({ error, reason }) => {
    const store = postgresStore({ client: { unsafe: () => Promise.reject(error) } });
    const thrown = await store.write('a', { token: 'planted-secret' }).catch((rejection: unknown) => rejection);
    expect(thrown).toMatchObject({ failure: { code: 'store_failed', phase: 'storage', retryable: true, details: { reason } } });
    expect(`${thrown} ${JSON.stringify(thrown)}`).not.toContain('planted-secret');
  });

  it('fails where nothing listens, by every operation (STO-02)', async () => {
    const client = new Pool({ connectionString: `postgres://user:planted-secret@127.0.0.1:${await freePort()}/test` });
    const store = postgresStore({ client });
    const lease = { key: 'a', owner: 'owner', fence: 1, expiresAtEpochMs: 1 };
    const operations = [store.read('a'), store.write('a', {}), store.delete('a'), store.take('a'), store.acquireLease('a', 'owner', 1)];
    for (const { reason } of (await Promise.allSettled([...operations, store.releaseLease(lease)])) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ failure: { code: 'store_failed', details: { reason: '(ECONNREFUSED from PostgreSQL)' } } });
      expect(JSON.stringify(reason)).not.toContain('planted-secret');
    }
  });

  it('refuses a client that runs no statements (STO-02)', () => {
    expect(() => postgresStore({ client: {} as PostgresClient })).toThrow(/^The configuration is wrong\. .*\[invalid_configuration\]$/);
  });
});

interface Place {
  readonly pool: Pool;
  readonly sql: postgres.Sql;
  readonly schema: string;
}

async function migrated(context: TestContext): Promise<Place> {
  const made = await place(context);
  await migratePostgres(made.pool, { schema: made.schema });
  return made;
}

/** A client of each library, and the name of a schema of this test's own that is dropped afterwards. */
async function place(context: TestContext, options = ''): Promise<Place> {
  const url = await database.url(context);
  const schema = `authchart_test_${randomUUID().replaceAll('-', '')}`;
  const pool = new Pool({ connectionString: url, max: 4, application_name: schema, options }).on('error', () => undefined);
  const sql = postgres(url, { max: 4, onnotice: () => undefined });
  context.onTestFinished(async () => {
    await Promise.all([pool.end(), sql.end()]);
    const last = new Client({ connectionString: url });
    await last.connect();
    await last.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await last.end();
  });
  return { pool, sql, schema };
}

async function countOf(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query(`SELECT count(*)::integer AS count FROM ${table}`);
  return rows[0].count;
}

/** Until a statement of this test waits for a lock. */
async function untilBlocked(pool: Pool, schema: string): Promise<void> {
  await expect
    .poll(
      async () =>
        (await pool.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`, [schema])).rowCount,
    )
    .toBe(1);
}
