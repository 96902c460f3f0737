/** A storage fallback over real servers, as each process of the test opens it. */
import type { KeyValueStore } from '@sage-adk/core';
import { fromPostgres } from '@sage-adk/core/postgres';
import postgres from 'postgres';
import { createClient } from 'redis';
import { type DeadLetterStore } from '../../src/dead-letters/index.ts';
import { createRedisDeadLetters } from '../../src/dead-letters/redis/index.ts';
import { createStorageFallback, type StorageFallback } from '../../src/storage/index.ts';
import { createPostgresStore } from '../../src/storage/postgres/index.ts';
import { createRedisStore } from '../../src/storage/redis/index.ts';

export interface OpenedFallback {
  readonly primary: KeyValueStore;
  readonly deadLetters: DeadLetterStore;
  readonly storage: StorageFallback;
  readonly close: () => Promise<void>;
}

export async function openFallback(postgresUrl: string, redisUrl: string): Promise<OpenedFallback> {
  const sql = postgres(postgresUrl, { max: 2, fetch_types: false, onnotice: () => {}, backoff: () => 0.02 });
  const client = createClient({ url: redisUrl, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
  client.on('error', () => {});
  await client.connect();
  const primary = createPostgresStore({ client: fromPostgres(sql), deadlineMs: 300 });
  const replica = createRedisStore({ client, deadlineMs: 300 });
  const deadLetters = createRedisDeadLetters({ client, queue: 'lost' });
  const storage = createStorageFallback({ primary, replica, whenDown: { deadLetters }, probeIntervalMs: 50 });
  const close = async () => {
    await storage.close();
    await deadLetters.close();
    client.destroy();
    await sql.end({ timeout: 0 });
  };
  return { primary, deadLetters, storage, close };
}
