/** The store that replicas share, by the driver the user has installed beside their configuration. */
import type { Clock } from '../../clock.ts';
import type { Store } from '../../stores/contract.ts';
import type { RedisClient } from '../../stores/redis-client.ts';
import { CONNECT_MS, driver, type OpenStore } from './store-driver.ts';

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

export interface StoreOpening {
  /** Changes nothing. */
  readonly isCheck?: boolean;
}

/** @throws Ended `driver_missing`, and what `openPostgres` throws */
export async function openStore(url: string, directory: string, clock: Clock, { isCheck = false }: StoreOpening = {}): Promise<OpenStore> {
  if (url.startsWith('redis')) return openRedis(url, directory, clock);
  const { openPostgres } = await import('./open-postgres.ts');
  return openPostgres(await driver(directory, ['pg', 'postgres'], 'PostgreSQL'), { url, clock, isCheck });
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
    return redis(redisStore({ client: client as unknown as RedisClient, prefix: REDIS_PREFIX, clock }), async () => {
      client.destroy();
    });
  }
  const { Redis } = found.module as { Redis: new (url: string, options: object) => IoRedis };
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on('error', quiet);
  return redis(redisStore({ client: client as unknown as RedisClient, prefix: REDIS_PREFIX, clock }), async () => client.disconnect());
}

const redis = (store: Store, close: () => Promise<void>): OpenStore => ({ name: 'Redis', store, isEmpty: false, close });
