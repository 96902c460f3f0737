/** Stores that share their state, each with a connection of its own, as processes have. */
import { fromPostgres } from '@sage-adk/core/postgres';
import type { LimiterStore } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createPostgresStore, migratePostgresStore } from '@sage-adk/ratelimit/postgres';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import postgres from 'postgres';
import { createClient } from 'redis';

export interface SharedStores extends AsyncDisposable {
  readonly stores: readonly LimiterStore[];
}

export interface SharedStoresOptions {
  readonly url: string;
  readonly count: number;
  /** Of a drill that is about spending, not about time. */
  readonly deadlineMs: number;
  readonly guarded: boolean;
}

export async function redisStores({ url, count, deadlineMs, guarded }: SharedStoresOptions): Promise<SharedStores> {
  const tag = `drill-${process.pid}-${Date.now()}`;
  const clients = await Promise.all(
    Array.from({ length: count }, () => createClient({ url, disableOfflineQueue: true }).connect()),
  );
  return {
    stores: clients.map((client) => guardedIf(guarded, createRedisStore({ client, tag, deadlineMs }), deadlineMs)),
    async [Symbol.asyncDispose]() {
      const keys = await clients[0]?.keys(`*${tag}*`);
      if (keys !== undefined && keys.length > 0) await clients[0]?.del(keys);
      for (const client of clients) client.destroy();
    },
  };
}

export async function postgresStores({ url, count, deadlineMs, guarded }: SharedStoresOptions): Promise<SharedStores> {
  const schema = `drill_${process.pid}_${Date.now()}`;
  const pools = Array.from({ length: count }, () => postgres(url, { max: 4, fetch_types: false, onnotice: () => {} }));
  const clients = pools.map((sql) => fromPostgres(sql));
  await migratePostgresStore(clients[0] as (typeof clients)[number], { schema });
  return {
    stores: clients.map((client) =>
      guardedIf(guarded, createPostgresStore({ client, schema, deadlineMs }), deadlineMs),
    ),
    async [Symbol.asyncDispose]() {
      await pools[0]?.unsafe(`drop schema ${schema} cascade`);
      await Promise.all(pools.map((sql) => sql.end()));
    },
  };
}

function guardedIf(guarded: boolean, store: LimiterStore, deadlineMs: number): LimiterStore {
  return guarded ? guardStore(store, { deadlineMs, instances: 4 }) : store;
}
