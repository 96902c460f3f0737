/** The three stores on a clock that stands still until it is told to go on. */
import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '@sage-adk/core';
import { createClient } from 'redis';
import { createMemoryStore } from '../../src/stores/memory.ts';
import { migratePostgresStore } from '../../src/stores/postgres/migrate.ts';
import { openPostgresStore } from '../../src/stores/postgres/postgres-store.ts';
import { openRedisStore } from '../../src/stores/redis/redis-store.ts';
import type { LimiterStore } from '../../src/stores/store.ts';
import { drivers } from '../stores/postgres/drivers.ts';

/** A store, and its time. */
export interface TimedStore {
  readonly store: LimiterStore;
  /** A key that nobody else asks about. */
  readonly key: string;
  /** Microseconds since the epoch; whole, and it only rises. */
  nowUs: number;
}

/** Where stores are made that share nothing with each other. */
export interface StoreMaker {
  create(startUs: number): TimedStore;
  close(): Promise<void>;
}

export const memory: StoreMaker = {
  create(startUs) {
    const timed = { key: 'somebody', nowUs: startUs };
    return Object.assign(timed, { store: createMemoryStore({ clock: clockOf(timed) }) });
  },
  close: async () => {},
};

export async function redisAt(url: string): Promise<StoreMaker> {
  const client = await createClient({ url, database: 9 }).connect();
  return {
    create(startUs) {
      const timed = { key: randomBytes(16).toString('base64url'), nowUs: startUs };
      const tag = randomBytes(9).toString('base64url');
      const options = { client, prefix: 'proofs', tag, deadlineMs: 60_000, clock: clockOf(timed) };
      return Object.assign(timed, { store: openRedisStore(options, () => timed.nowUs) });
    },
    // Other files use the same database, so what is left stays.
    close: () => client.close(),
  };
}

/** @param schema of its own for each file of tests: they run at once. */
export async function postgresAt(url: string, schema: string): Promise<StoreMaker> {
  const opened = drivers[0].open(url);
  const { client } = opened;
  await client.query(`drop schema if exists ${schema} cascade`);
  await migratePostgresStore(client, { schema });
  return {
    create(startUs) {
      const timed = { key: randomBytes(16).toString('base64url'), nowUs: startUs };
      const options = { client, schema, deadlineMs: 60_000, clock: clockOf(timed) };
      return Object.assign(timed, { store: openPostgresStore(options, () => timed.nowUs) });
    },
    async close() {
      await client.query(`drop schema ${schema} cascade`);
      await opened.close();
    },
  };
}

/** Real timers, since a server takes real time to answer; nothing that is decided depends on them. */
function clockOf(time: { readonly nowUs: number }): Clock {
  const now = (): number => time.nowUs / 1_000;
  return { now, monotonicMs: now, setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs) };
}
