import type { CheckSpec } from '../checks/spec.ts';
import { errors } from '../errors.ts';
import type { NamedCheck } from './named.ts';

/** What is needed of a client: those of `redis` and `ioredis` fit as they are. */
export interface RedisPing {
  ping(): Promise<unknown>;
  /** Whether a command would be sent at once; `redis` says it so. */
  readonly isReady?: boolean;
  /** `ready` where a command would be sent at once; ioredis says it so. */
  readonly status?: string;
}

export interface RedisCheckOptions extends NamedCheck {
  readonly client: RedisPing;
}

/** Whether Redis answers a PING. A client that is not connected fails at once, and nothing waits in its queue. */
export function redisCheck({ client, name = 'redis', ...watching }: RedisCheckOptions): CheckSpec {
  return {
    ...watching,
    name,
    async check() {
      if (client.isReady === false || (client.status !== undefined && client.status !== 'ready')) {
        throw errors.NOT_CONNECTED({ name });
      }
      await client.ping();
    },
  };
}
