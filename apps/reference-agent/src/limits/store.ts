import type { CheckSpec } from '@sage-adk/health';
import { postgresCheck, redisCheck } from '@sage-adk/health/checks';
import type { LimiterStore } from '@sage-adk/ratelimit';
import { guardStore } from '@sage-adk/ratelimit/guard';
import { createPostgresStore, migratePostgresStore, type PostgresStore } from '@sage-adk/ratelimit/postgres';
import { createRedisStore } from '@sage-adk/ratelimit/redis';
import type { Closing } from '../closing.ts';
import type { PostgresConfig, RedisConfig } from '../config/connections.ts';
import type { AgentConfig } from '../config/schema.ts';
import { connectPostgres } from '../storage/postgres.ts';
import { connectRedis } from '../storage/redis.ts';

/** What limits are kept in. */
export interface OpenStore {
  /** Undefined for memory. */
  readonly store: LimiterStore | undefined;
  readonly checks: readonly CheckSpec[];
}

/**
 * Connects the configured storage. While it is away each rule's policy decides: money is not spent, and all else goes by this agent's share of the limit.
 *
 * @param needed whether there is a limit at all.
 */
export async function openStore(
  { rate_limit: { storage }, redis, postgres }: AgentConfig,
  needed: boolean,
  instances: number,
  closing: Closing,
): Promise<OpenStore> {
  if (!needed) return { store: undefined, checks: [] };
  if (storage === 'redis' && redis !== undefined) return openRedis(redis, instances, closing);
  if (storage === 'postgres' && postgres !== undefined) return openPostgres(postgres, instances, closing);
  return { store: undefined, checks: [] };
}

async function openRedis(config: RedisConfig, instances: number, closing: Closing): Promise<OpenStore> {
  const { prefix, timeout_ms: deadlineMs } = config;
  const { client } = closing.add(await connectRedis(config));
  const store = guardStore(createRedisStore({ client, prefix, deadlineMs }), { deadlineMs, instances });
  return { store, checks: [redisCheck({ client, hasFallback })] };
}

async function openPostgres(config: PostgresConfig, instances: number, closing: Closing): Promise<OpenStore> {
  const { schema, timeout_ms: deadlineMs } = config;
  const at = schema === undefined ? {} : { schema };
  const { client } = closing.add(await connectPostgres(config, (made) => migratePostgresStore(made, at)));
  const audit = config.audit === 'none' ? {} : { audit: { mode: config.audit } };
  const store = createPostgresStore({ client, ...at, deadlineMs, ...audit });
  closing.add(sweepNowAndThen(store, config.audit_days * 86_400_000));
  return { store: guardStore(store, { deadlineMs, instances }), checks: [postgresCheck({ client, hasFallback })] };
}

/** The policies of the rules decide meanwhile, so the agent can serve. */
const hasFallback = (): boolean => true;

const sweepMs = 60_000;
const mostSwept = 10_000;

/** Removes what counts no more, and what was written down long ago; nothing else does. */
function sweepNowAndThen(store: PostgresStore, auditMs: number): Disposable {
  const sweep = (): void => {
    // A server that is away is told of elsewhere; the next round removes what this one left.
    store.sweep({ limit: mostSwept }).catch(() => {});
    store.pruneAudit({ olderThanMs: auditMs, limit: mostSwept }).catch(() => {});
  };
  const timer = setInterval(sweep, sweepMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
