/** Usage in PostgreSQL, one row for each key and day. */
import { createHash } from 'node:crypto';
import { migrate, type MigrateOptions, type MigrationReport, type PostgresClient } from '@sage-adk/core/postgres';
import { plusDays } from '../day.ts';
import { keyText, type UsageRow } from '../row.ts';
import type { UsageStore } from '../store.ts';
import { migrations, statementsOf } from './sql.ts';

export interface PostgresUsageOptions {
  /** From `fromPostgres` or `fromPg` of `@sage-adk/core/postgres`. Somebody else opens and closes what is under it. */
  readonly client: PostgresClient;
  /** Where the tables are. @default the first schema of the connection's search path */
  readonly schema?: string;
  /** How long one call may take. @default that of the client */
  readonly deadlineMs?: number;
}

/** Makes the tables of {@link createPostgresUsage}; any number of processes may call it at once. */
export function migrateUsage(
  options: Pick<MigrateOptions, 'client' | 'schema' | 'deadlineMs' | 'signal' | 'dryRun'>,
): Promise<MigrationReport> {
  return migrate({ ...options, packageName: '@sage-adk/metrics/usage', migrations });
}

const pageSize = 1_000;
const sweepEvery = 256;

/** Makes a {@link UsageStore} in PostgreSQL 12 or later, whose tables {@link migrateUsage} made. Each batch is one statement. */
export function createPostgresUsage({ client, schema, deadlineMs }: PostgresUsageOptions): UsageStore {
  const statements = statementsOf(schema);
  const options = deadlineMs === undefined ? {} : { deadlineMs };
  let added = 0;
  return {
    name: 'postgres',
    async add({ id, day, rows }) {
      await client.query(statements.add, [id, day, JSON.stringify(rows.map(recordOf))], options);
      // A sweep that fails costs nothing: a later one takes what it left.
      if (++added % sweepEvery === 0) await client.query(statements.sweep, [], options).catch(() => {});
    },
    async *read({
      from,
      to,
      tenant = null,
    }: {
      readonly from: string;
      readonly to: string;
      readonly tenant?: string | null;
    }) {
      let [day, id] = [plusDays(from, -1), 'ff'.repeat(33)];
      for (;;) {
        const rows = await client.query<Row>(statements.read, [day, id, to, tenant, pageSize], options);
        for (const [ofDay, some] of Map.groupBy(rows, (row) => row.day)) yield { day: ofDay, rows: some.map(rowOf) };
        const last = rows.at(-1);
        if (last === undefined || rows.length < pageSize) return;
        ({ day, row_id: id } = last);
      }
    },
    async prune(before) {
      await client.query(statements.prune, [before], options);
    },
  };
}

type Row = Readonly<
  Record<'day' | 'row_id' | 'tenant' | 'user_id' | 'agent' | 'session' | 'provider' | 'model', string>
> &
  Readonly<Record<string, string>>;

function recordOf(row: UsageRow): Readonly<Record<string, unknown>> {
  return {
    row_id: createHash('sha256').update(keyText(row)).digest('hex'),
    tenant: row.tenant,
    user_id: row.user,
    agent: row.agent,
    session: row.session,
    provider: row.provider,
    model: row.model,
    messages: row.messages,
    failed_messages: row.failedMessages,
    calls: row.calls,
    failed_calls: row.failedCalls,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cached_input_tokens: row.cachedInputTokens,
    cache_write_tokens: row.cacheWriteTokens,
    reasoning_tokens: row.reasoningTokens,
    unknown_cost_calls: row.unknownCostCalls,
    cost_nano_usd: String(row.costNanoUsd),
  };
}

function rowOf(row: Row): UsageRow {
  const count = (name: string) => Number(row[name] ?? 0);
  return {
    tenant: row.tenant,
    user: row.user_id,
    agent: row.agent,
    session: row.session,
    provider: row.provider,
    model: row.model,
    messages: count('messages'),
    failedMessages: count('failed_messages'),
    calls: count('calls'),
    failedCalls: count('failed_calls'),
    inputTokens: count('input_tokens'),
    outputTokens: count('output_tokens'),
    cachedInputTokens: count('cached_input_tokens'),
    cacheWriteTokens: count('cache_write_tokens'),
    reasoningTokens: count('reasoning_tokens'),
    unknownCostCalls: count('unknown_cost_calls'),
    costNanoUsd: BigInt(row['cost_nano_usd'] ?? '0'),
  };
}
