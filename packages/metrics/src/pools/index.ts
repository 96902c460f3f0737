export {
  fetchConnections,
  type FetchDispatcher,
  httpConnections,
  type HttpAgent,
  type PgPool,
  pgConnections,
  type RedisPool,
  redisConnections,
} from './readings.ts';
export { type CountedPostgres, countPostgres } from './postgres.ts';
export { type PoolReading, watchPool } from './watch-pool.ts';
