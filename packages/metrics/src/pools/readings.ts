/** What the pools of common clients say of themselves. Each is passed in and read, never changed. */
import type { PoolReading } from './watch-pool.ts';

/** `Pool` of `pg` 8. */
export interface PgPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: { readonly max?: number | undefined };
}

export function pgConnections(pool: PgPool): () => PoolReading {
  return () => ({
    active: pool.totalCount - pool.idleCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
    max: pool.options.max,
  });
}

/** What `createClientPool` of `redis` 5 and 6 returns. */
export interface RedisPool {
  readonly clientsInUse: number;
  readonly idleClients: number;
  readonly tasksQueueLength: number;
}

/** @param max the `maximum` that the pool was given */
export function redisConnections(pool: RedisPool, max?: number): () => PoolReading {
  return () => ({ active: pool.clientsInUse, idle: pool.idleClients, waiting: pool.tasksQueueLength, max });
}

/** `Agent` of undici 7 and of Node's own `fetch` from 24 on: it counts by origin. */
export interface FetchDispatcher {
  readonly stats?: Readonly<Record<string, FetchStats | undefined>>;
}

interface FetchStats {
  readonly connected?: boolean | number;
  readonly running?: number;
  readonly queued?: number;
  readonly pending?: number;
}

/**
 * Connections of `fetch` to all origins. Where the dispatcher does not count, it says nothing.
 *
 * @param dispatcher one of yours. @default that of the global `fetch`, as it is when it is read
 */
export function fetchConnections(dispatcher?: FetchDispatcher): () => PoolReading {
  return () => {
    const stats = Object.values((dispatcher ?? globalDispatcher())?.stats ?? {}).filter((one) => one !== undefined);
    if (stats.length === 0) return {};
    const sum = (of: (one: FetchStats) => number): number => stats.reduce((total, one) => total + of(one), 0);
    const active = sum(({ running = 0 }) => running);
    return {
      active,
      idle: Math.max(0, sum(({ connected }) => Number(connected ?? 0)) - active),
      waiting: sum(({ queued = 0, pending = 0 }) => queued + pending),
    };
  };
}

/** Where undici and Node agree on the dispatcher of `fetch`. */
function globalDispatcher(): FetchDispatcher | undefined {
  return (globalThis as { [key: symbol]: FetchDispatcher | undefined })[Symbol.for('undici.globalDispatcher.1')];
}

/** `Agent` of `node:http` and `node:https`. */
export interface HttpAgent {
  readonly sockets: Readonly<Record<string, readonly unknown[] | undefined>>;
  readonly freeSockets: Readonly<Record<string, readonly unknown[] | undefined>>;
  readonly requests: Readonly<Record<string, readonly unknown[] | undefined>>;
  readonly maxTotalSockets?: number;
}

export function httpConnections(agent: HttpAgent): () => PoolReading {
  const count = (lists: Readonly<Record<string, readonly unknown[] | undefined>>): number =>
    Object.values(lists).reduce((total, list) => total + (list?.length ?? 0), 0);
  return () => ({
    active: count(agent.sockets),
    idle: count(agent.freeSockets),
    waiting: count(agent.requests),
    max: agent.maxTotalSockets,
  });
}
