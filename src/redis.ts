/** Records in Redis, by the user's own client. */
export type { IoRedisClient, NodeRedisClient, RedisClient, RedisCommand } from './stores/redis-client.ts';
export { type RedisStoreOptions, redisStore } from './stores/redis-store.ts';
