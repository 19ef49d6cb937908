import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, it, type TestContext } from 'vitest';
import { type RedisClient, redisStore } from '../../src/redis.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { redisDatabase } from '../helpers/databases.ts';
import { freePort } from '../helpers/free-port.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const database = redisDatabase();
const unreadable = { failure: { code: 'record_unreadable', phase: 'storage' } };
const CLOCKS_DIFFER_MS = 20;

describe.each(['redis', 'ioredis', 'a function'] as const)('Redis store by %s', (library) => {
  for (const { title, run } of storeContract) {
    it.concurrent(`${title} (STO-01, STO-02)`, async (context) => {
      const { first, second, prefix } = await place(context);
      const clients = { redis: [first, second], ioredis: [second, first], 'a function': [sending(second), second] } as const;
      const [client, other] = clients[library];
      await run(() => ({
        store: redisStore({ client, prefix }),
        second: redisStore({ client: other, prefix }),
        advance: (durationMs) => sleep(durationMs + CLOCKS_DIFFER_MS),
      }));
    });
  }
});

describe('Redis store', () => {
  it('keeps its keys under its prefix, one for each record and lease (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await store.write('a/b', { n: 1 });
    await store.acquireLease('a/b', 'owner', 1_000);
    expect((await second.keys(`${prefix}*`)).sort()).toEqual([`${prefix}lease:a/b`, `${prefix}record:a/b`]);
    expect(await redisStore({ client: second, prefix: `${prefix}other:` }).read('a/b')).toBeUndefined();
  });

  it('runs when Redis has forgotten its scripts (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await store.write('a', { n: 1 });
    await second.script('FLUSH');
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    await second.script('FLUSH');
    expect((await store.take('a'))?.value).toEqual({ n: 1 });
  });

  it('leaves nothing behind in Redis: expired records and old leases go by themselves (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await store.write('soon', {}, { expiresAtEpochMs: Date.now() + 60_000 });
    await store.write('past', {}, { expiresAtEpochMs: Date.now() - 1 });
    await store.write('never', {}, { expiresAtEpochMs: Number.POSITIVE_INFINITY });
    await store.releaseLease((await store.acquireLease('a', 'owner', 1_000)) ?? expect.fail('no lease'));
    const leftMs = await second.pttl(`${prefix}record:soon`);
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
    expect(await second.exists(`${prefix}record:past`)).toBe(0);
    expect(await second.pttl(`${prefix}record:never`)).toBe(-1);
    expect(await second.pttl(`${prefix}lease:a`)).toBeGreaterThan(3_600_000);
  });

  it('never gives a fence again, also when Redis has lost the lease (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    const fences: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      fences.push((await store.acquireLease('a', `owner ${round}`, 10_000))?.fence ?? Number.NaN);
      await second.del(`${prefix}lease:a`);
    }
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
  });

  it('means what the clock of its caller means, however far that is from the one of Redis (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const clock = simulatedClock();
    const store = redisStore({ client: second, prefix, clock });
    await store.write('a', { n: 1 }, { expiresAtEpochMs: clock.now() + 60_000 });
    expect((await store.read('a'))?.value).toEqual({ n: 1 });
    expect((await store.acquireLease('a', 'owner', 5_000))?.expiresAtEpochMs).toBe(clock.now() + 5_000);
  });

  it('has written when its client sends a write twice because the answer was lost (STO-02)', async (context) => {
    const { second, prefix } = await place(context);
    const send = sending(second);
    const twice = redisStore({ prefix, client: (command) => send(command).then(() => send(command)) });
    const { version } = (await twice.write('a', { n: 1 }, { expected: null })) as { version: string };
    expect(await twice.read('a')).toEqual({ value: { n: 1 }, version });
  });

  it.for([
    { what: 'cut', change: (stored: string) => stored.slice(0, -1) },
    { what: 'changed', change: (stored: string) => stored.replace('planted', 'replant') },
    { what: 'of something else', change: () => 'hello' },
    { what: 'of a newer format', change: (stored: string) => `2${stored.slice(1)}` },
  ])('reports a record that is $what and leaves it (STO-02, STO-05)', async ({ change }, context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await store.write('a', { secret: 'planted-secret' });
    const changed = change((await second.get(`${prefix}record:a`)) ?? '');
    await second.set(`${prefix}record:a`, changed);
    for (const operate of [
      () => store.read('a'),
      () => store.take('a'),
      () => store.write('a', {}),
      () => store.delete('a', { expected: 'x' }),
    ]) {
      await expect(operate()).rejects.toMatchObject(unreadable);
    }
    expect(await second.get(`${prefix}record:a`)).toBe(changed);
  });

  it('deletes a damaged record for who asks for it, and never a newer one (STO-02, STO-05)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await second.set(`${prefix}record:a`, '1:version:');
    expect(await store.delete('a')).toBe(true);
    await second.set(`${prefix}record:a`, '2:version:');
    await expect(store.delete('a')).rejects.toMatchObject(unreadable);
  });

  it('reports keys of another type and damaged leases, and leaves them (STO-02, STO-05)', async (context) => {
    const { second, prefix } = await place(context);
    const store = redisStore({ client: second, prefix });
    await second.rpush(`${prefix}record:a`, 'item');
    await second.set(`${prefix}lease:a`, 'hello');
    await expect(store.delete('a')).rejects.toMatchObject(unreadable);
    await expect(store.acquireLease('a', 'owner', 1_000)).rejects.toMatchObject(unreadable);
    expect(await second.lrange(`${prefix}record:a`, 0, -1)).toEqual(['item']);
    expect(await second.get(`${prefix}lease:a`)).toBe('hello');
  });
});

describe('Redis store that cannot', () => {
  it.for([
    {
      error: Object.assign(new Error('connect redis://user:planted-secret@host'), { code: 'ECONNREFUSED' }),
      reason: '(ECONNREFUSED from Redis)',
    },
    { error: new Error('READONLY planted-secret'), reason: '(READONLY from Redis)' },
    { error: new TypeError('planted-secret'), reason: '(TypeError from Redis)' },
    { error: 'planted-secret', reason: '(string from Redis)' },
  ])('names $reason and nothing of the error (STO-02)', async ({ error, reason }) => {
    const store = redisStore({ client: () => Promise.reject(error) });
    const thrown = await store.write('a', { token: 'planted-secret' }).catch((rejection: unknown) => rejection);
    expect(thrown).toMatchObject({ failure: { code: 'store_failed', phase: 'storage', retryable: true, details: { reason } } });
    expect(`${thrown} ${JSON.stringify(thrown)}`).not.toContain('planted-secret');
  });

  it('fails where nothing listens, by every operation (STO-02)', async () => {
    const options = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null };
    const client = new Redis(`redis://user:planted-secret@127.0.0.1:${await freePort()}`, options).on('error', () => undefined);
    const store = redisStore({ client });
    const lease = { key: 'a', owner: 'owner', fence: 1, expiresAtEpochMs: 1 };
    const operations = [store.read('a'), store.write('a', {}), store.delete('a'), store.take('a'), store.acquireLease('a', 'owner', 1)];
    for (const { reason } of (await Promise.allSettled([...operations, store.releaseLease(lease)])) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ failure: { code: 'store_failed', phase: 'storage' } });
      expect(JSON.stringify(reason)).not.toContain('planted-secret');
    }
  });

  it('refuses a client that runs no scripts, and values that are not JSON (STO-02)', async () => {
    expect(() => redisStore({ client: {} as RedisClient })).toThrow(/^The configuration is wrong\. .*\[invalid_configuration\]$/);
    await expect(redisStore({ client: () => Promise.resolve([]) }).write('a', { n: 1n } as never)).rejects.toMatchObject({
      failure: { code: 'store_failed', details: { reason: 'The value is not plain JSON.' } },
    });
  });
});

/** For the third kind of client. */
function sending(client: Redis) {
  return ([name = '', ...values]: readonly string[]): Promise<unknown> => client.call(name, ...values);
}

/** A client of each library, and a prefix of this test's own whose keys are deleted afterwards. */
async function place(context: TestContext): Promise<{ first: RedisClient; second: Redis; prefix: string }> {
  const url = await database.url(context);
  const prefix = `authchart-test:${randomUUID()}:`;
  const first = createClient({ url });
  await first.connect();
  const second = new Redis(url);
  context.onTestFinished(async () => {
    const keys = await second.keys(`${prefix}*`);
    if (keys.length > 0) await second.del(...keys);
    first.destroy();
    second.disconnect();
  });
  return { first, second, prefix };
}
