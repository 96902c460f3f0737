import { isSageError } from '@sage-adk/core';
import {
  createMemoryUsage,
  createUsageLedger,
  createUsageReport,
  type UsageReport,
  type UsageReportOptions,
  type UsageStore,
  usageToJson,
} from '@sage-adk/metrics/usage';
import { createPostgresUsage, migrateUsage } from '@sage-adk/metrics/usage/postgres';
import { createRedisUsage } from '@sage-adk/metrics/usage/redis';
import type { Closing } from '../closing.ts';
import type { AgentConfig } from '../config/schema.ts';
import { errors } from '../errors.ts';
import { connectPostgres } from '../storage/postgres.ts';
import { connectRedis } from '../storage/redis.ts';
import type { Report } from './reports.ts';

const dayMs = 86_400_000;

/** Days that a report may have, and how far from today it may begin: the store is read day by day until today. */
const mostDays = 400;
const farthestDays = 3_650;

/**
 * Keeps the books of who used what, where `storage` says where.
 *
 * @returns the report of the last 30 days, or of those that the query names.
 */
export async function startUsage(
  config: AgentConfig,
  storage: 'memory' | 'redis' | 'postgres' | undefined,
  closing: Closing,
): Promise<Report | undefined> {
  if (storage === undefined) return undefined;
  const store = await openStore(config, storage, closing);
  const ledger = closing.add(createUsageLedger({ store, closeWithinMs: 5_000 }));
  return async (query) => {
    const today = new Date();
    const { from = dayOf(new Date(today.getTime() - 29 * dayMs)), to = dayOf(today), tenant } = query;
    requireBounded(from, to, tenant);
    // What is not written yet belongs to it; a store that is away says so when it is read.
    await ledger.flush().catch(() => {});
    return usageToJson(await reportOf({ store, from, to, ...(tenant !== undefined && { tenant }) }));
  };
}

/** Throws `INVALID_QUERY` for more than a report is made of. */
function requireBounded(from: string, to: string, tenant = ''): void {
  const first = Date.parse(from);
  const days = (Date.parse(to) - first) / dayMs + 1;
  if (days > mostDays || Math.abs(Date.now() - first) / dayMs > farthestDays)
    throw errors.INVALID_QUERY({ problem: `from and to: wanted at most ${mostDays} days, within ten years` });
  if (tenant.length > 128 || tenant.includes('\0'))
    throw errors.INVALID_QUERY({ problem: 'tenant: wanted at most 128 characters, none of them 0' });
}

/** A query that names no days is the asker's mistake. */
async function reportOf(options: UsageReportOptions): Promise<UsageReport> {
  try {
    return await createUsageReport(options);
  } catch (cause) {
    if (!isSageError(cause, 'SAGE_CORE_INVALID_OPTION')) throw cause;
    throw errors.INVALID_QUERY({ problem: cause.message }, { cause });
  }
}

async function openStore(
  { redis, postgres }: AgentConfig,
  storage: 'memory' | 'redis' | 'postgres',
  closing: Closing,
): Promise<UsageStore> {
  if (storage === 'redis' && redis !== undefined) {
    const { client } = closing.add(await connectRedis(redis));
    return createRedisUsage({ client, prefix: `${redis.prefix}:usage` });
  }
  if (storage === 'postgres' && postgres !== undefined) {
    const at = postgres.schema === undefined ? {} : { schema: postgres.schema };
    const { client } = closing.add(await connectPostgres(postgres, (made) => migrateUsage({ client: made, ...at })));
    return createPostgresUsage({ client, ...at });
  }
  return createMemoryUsage();
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
