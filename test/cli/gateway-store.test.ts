import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
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
