import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { openStore } from '../../src/cli/gateway/open-store.ts';
import { systemClock } from '../../src/clock.ts';
import { type Database, postgresDatabase, redisDatabase } from '../helpers/databases.ts';
import { freePort } from '../helpers/free-port.ts';
import { gatewaySurroundings, openMcpServer, signedInClient, startGateway } from './gateway-scene.ts';
import { runCommand, temporaryDirectory } from './run-command.ts';

const redis = redisDatabase();
const postgres = postgresDatabase();

/** A working directory in which one driver is installed. */
async function directoryWith(driver: string): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'node_modules'));
  await symlink(resolve('node_modules', driver), join(directory, 'node_modules', driver));
  return directory;
}

it.for<readonly [driver: string, database: Database]>([
  ['redis', redis],
  ['ioredis', redis],
  ['pg', postgres],
  ['postgres', postgres],
])('a gateway keeps logins by %s of the working directory (GWY-04)', async ([driver, database], context: TestContext) => {
  const url = await database.url(context);
  const { store, close } = await openStore(url, await directoryWith(driver), systemClock);
  onTestFinished(close);
  const key = `test/${crypto.randomUUID()}`;
  await store.write(key, { kept: true }, { expiresAtEpochMs: Date.now() + 60_000 });
  expect((await store.take(key))?.value).toEqual({ kept: true });
});

it.each(['redis', 'ioredis'])('a gateway starts without Redis, by %s, and what it asks fails at once (GWY-04)', async (driver) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const { store, close } = await openStore(url, await directoryWith(driver), systemClock);
  onTestFinished(close);
  await expect(store.read('x')).rejects.toMatchObject({ failure: { code: 'store_failed' } });
});

it('a gateway says at its start that Redis is down (GWY-04)', async () => {
  const surroundings = await gatewaySurroundings();
  const keys = join(await temporaryDirectory(), 'keys.json');
  await runCommand(['gateway', 'keys', '--out', keys]);
  const argv = [...surroundings.argv, '--backend', 'http://127.0.0.1:9/mcp', '--keys-file', keys];
  const env = { ...surroundings.env, AUTHCHART_GATEWAY_STORE: `redis://127.0.0.1:${await freePort()}` };
  const gateway = await startGateway(argv, env);
  expect(gateway.said.stderr).toContain('Redis (--store) cannot be asked now.');
  expect((await runCommand([...argv, '--check'], { env })).exitCode).toBe(7);
  gateway.child.kill('SIGTERM');
  expect((await gateway.ended).exitCode).toBe(0);
});

it.each(['pg', 'postgres'])(
  'a gateway without its PostgreSQL, by %s, does not start, and says so without the password (GWY-04)',
  async (driver) => {
    const opening = openStore(`postgres://me:SECRET-p@127.0.0.1:${await freePort()}/x`, await directoryWith(driver), systemClock);
    await expect(opening).rejects.toMatchObject({ code: 'store_unreachable', message: expect.not.stringContaining('SECRET-') });
  },
);

/** A database of the test's own, and a user who may connect to it and no more. */
async function emptyDatabase(context: TestContext) {
  const url = await postgres.url(context);
  const name = `authchart_${crypto.randomUUID().slice(0, 8)}`;
  const server = new Client({ connectionString: url });
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  await server.query(`CREATE ROLE ${name} LOGIN`);
  const own = Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const client = new Client({ connectionString: own });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await server.query(`DROP ROLE ${name}`);
    await server.end();
  });
  const tables = async (): Promise<number> =>
    (await client.query("SELECT FROM pg_class WHERE relname LIKE 'authchart%' AND relkind = 'r'")).rows.length;
  return { url: own, asNobody: Object.assign(new URL(own), { username: name, password: '' }).href, client, tables };
}

describe.each(['pg', 'postgres'])('a gateway before PostgreSQL, by %s,', (driver) => {
  it.for<readonly [title: string, change: Partial<URL>, code: string, message: string]>([
    ['whose port nobody listens at', { port: '1' }, 'store_unreachable', 'could not be reached (ECONNREFUSED)'],
    [
      'that does not know the user',
      { username: 'SECRET-user' },
      'store_refused',
      'does not let in the user of --store with its password (28000)',
    ],
    ['without the database', { pathname: '/SECRET-database' }, 'store_refused', 'has no database of the name in --store (3D000)'],
  ])('%s says so (GWY-04)', async ([, change, code, message], context) => {
    const { url } = await emptyDatabase(context);
    const opening = openStore(Object.assign(new URL(url), change).href, await directoryWith(driver), systemClock);
    await expect(opening).rejects.toMatchObject({ code, exitCode: 7, message: `PostgreSQL ${message}.` });
  });

  it('whose user may make no tables says so, and with --check as well (GWY-04)', async (context) => {
    const { asNobody } = await emptyDatabase(context);
    const [directory, refused] = [
      await directoryWith(driver),
      { code: 'store_refused', exitCode: 7, message: expect.stringContaining('make its tables') },
    ];
    await expect(openStore(asNobody, directory, systemClock)).rejects.toMatchObject(refused);
    await expect(openStore(asNobody, directory, systemClock, { isCheck: true })).rejects.toMatchObject(refused);
  });

  it('with --check makes no tables and says that the start will (GWY-04)', async (context) => {
    const { url, tables } = await emptyDatabase(context);
    const directory = await directoryWith(driver);
    const looked = await openStore(url, directory, systemClock, { isCheck: true });
    await looked.close();
    expect([looked.isEmpty, await tables()]).toEqual([true, 0]);
    const started = await openStore(url, directory, systemClock);
    await started.close();
    expect([started.isEmpty, await tables()]).toEqual([false, 3]);
    const again = await openStore(url, directory, systemClock, { isCheck: true });
    onTestFinished(again.close);
    expect([again.isEmpty, await again.store.read('x')]).toEqual([false, undefined]);
  });

  it.for([true, false])(
    'with tables of a newer version leaves them alone and says so, with --check: %s (GWY-04, STO-05)',
    async (isCheck, context) => {
      const { url, client } = await emptyDatabase(context);
      await client.query(
        'CREATE SCHEMA authchart; CREATE TABLE authchart.authchart_schema (version integer NOT NULL); INSERT INTO authchart.authchart_schema VALUES (99)',
      );
      const opening = openStore(url, await directoryWith(driver), systemClock, { isCheck });
      await expect(opening).rejects.toMatchObject({
        code: 'store_newer',
        exitCode: 7,
        message: expect.stringContaining('a newer version of authchart'),
      });
    },
  );
});

it('a gateway says with --check that it would make the tables (GWY-04)', async (context) => {
  const { url, tables } = await emptyDatabase(context);
  const { argv, env } = await gatewaySurroundings();
  const backend = await openMcpServer();
  const keys = join(await temporaryDirectory(), 'keys.json');
  await runCommand(['gateway', 'keys', '--out', keys]);
  const checked = await runCommand([...argv, '--backend', backend.url, '--keys-file', keys, '--check'], {
    env: { ...env, AUTHCHART_GATEWAY_STORE: url },
  });
  expect([checked.exitCode, await tables()]).toEqual([0, 0]);
  expect(checked.stderr.replace(/\s+/g, ' ')).toContain('PostgreSQL (--store) holds no tables of authchart yet: the start makes them.');
});

it('a gateway that was killed is followed by another, and clients notice nothing (GWY-04, GWY-08)', async (context) => {
  const surroundings = await gatewaySurroundings();
  const backend = await openMcpServer();
  const keys = join(await temporaryDirectory(), 'keys.json');
  await runCommand(['gateway', 'keys', '--out', keys]);
  const argv = [...surroundings.argv, '--backend', backend.url, '--keys-file', keys];
  const env = { ...surroundings.env, AUTHCHART_GATEWAY_STORE: await redis.url(context) };
  const first = await startGateway(argv, env);
  expect(first.said.stderr).toContain('logins in Redis, sealed');
  const { client } = await signedInClient(surroundings);
  first.child.kill('SIGKILL');
  await first.ended;

  await startGateway(argv, env);
  const result = await client.callTool({ name: 'read_weather', arguments: { city: 'Oslo' } });
  expect(result.content).toEqual([{ type: 'text', text: 'Sunny in Oslo, 24 °C.' }]);
});
