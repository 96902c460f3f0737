/** Limits that several processes share, in Redis. */
export { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
