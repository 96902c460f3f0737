import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisCommands } from '@sage-adk/core/redis';
import type { RedisPing } from '@sage-adk/health/checks';
import { watchPool } from '@sage-adk/metrics/pools';
import type { RedisConfig } from '../config/connections.ts';
import { tellAway } from './first-contact.ts';
import { urlIn } from './url.ts';

/** A connection that comes back by itself. */
export interface RedisConnection {
  readonly client: RedisCommands & RedisPing;
  close(): Promise<void>;
}

/** Connects. A server that is away is told of, and connected to when it is there. Throws `STORAGE_UNREACHABLE` where it refuses. */
export async function connectRedis(config: RedisConfig): Promise<RedisConnection> {
  const { createClient } = await import('redis');
  const url = await urlIn(config, 'redis');
  const client = createClient({
    url,
    // A command that cannot be sent now fails now.
    disableOfflineQueue: true,
    // A connection that is silent for so long although it is pinged is dead, whatever the network says.
    pingInterval: 2_000,
    socket: {
      connectTimeout: 5_000,
      socketTimeout: 5_000,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 6), 2_000),
    },
  });
  // The health check tells of it, and the counters of what uses the connection.
  client.on('error', () => {});
  try {
    await firstAttempt(client);
  } catch (cause) {
    try {
      tellAway({ server: 'Redis', url, key: 'redis.url' }, cause);
    } catch (error) {
      client.destroy();
      throw error;
    }
  }
  // One connection for all commands: in use as long as it is there.
  const watched = watchPool('redis', () => ({ active: client.isReady ? 1 : 0, max: 1 }));
  return {
    client,
    async close() {
      watched[Symbol.dispose]();
      // What was sent gets its answer, unless there is nobody to give it.
      if (client.isReady) await Promise.race([client.close(), sleep(1_000, undefined, { ref: false })]);
      if (client.isOpen) client.destroy();
    },
  };
}

interface Connecting {
  connect(): Promise<unknown>;
  once(event: 'error', listener: (error: unknown) => void): unknown;
  off(event: 'error', listener: (error: unknown) => void): unknown;
}

/** Resolves once connected, rejects when that failed for the first time; the client goes on trying. */
async function firstAttempt(client: Connecting): Promise<void> {
  let stop = (): void => {};
  const failed = new Promise<never>((_, reject) => {
    client.once('error', reject);
    stop = () => void client.off('error', reject);
  });
  const connected = client.connect();
  // It rejects where the client is destroyed meanwhile.
  connected.catch(() => {});
  try {
    await Promise.race([connected, failed]);
  } finally {
    stop();
  }
}
