/** Usage in Redis: a hash for each day, a field for each count of a row. */
import { type Clock, requireOption, requireWhole, systemClock } from '@sage-adk/core';
import { createScriptRunner, type RedisCommands } from '@sage-adk/core/redis';
import { daysOf, plusDays } from '../day.ts';
import { keyOfText, keyText, noUsage, numberNames, type UsageRow, type UsageSum } from '../row.ts';
import type { UsageStore } from '../store.ts';
import { addScript, dropScript, scanScript } from './scripts.ts';

export interface RedisUsageOptions {
  /** A client or cluster client of `redis` v6, or of ioredis through `fromIoredis`. Somebody else connects and closes it. */
  readonly client: RedisCommands;
  /** What the keys in Redis start with. Without braces. @default 'sage:usage' */
  readonly prefix?: string;
  /** Days that Redis keeps a day after it was last added to. @default 400 */
  readonly retentionDays?: number;
  /** How long one call may take. @default 1000 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

const dayMs = 86_400_000;
const rememberMs = 2 * dayMs;
const pageSize = 1_000;
const countNames = [...numberNames, 'costNanoUsd'] as const;

/**
 * Makes a {@link UsageStore} in Redis 6 or later. The days lie in different slots of a cluster, each batch is one script.
 *
 * What is added is as durable as the server is (`appendonly`, `appendfsync`), and the server must not evict (`maxmemory-policy noeviction`).
 */
export function createRedisUsage({
  client,
  prefix = 'sage:usage',
  retentionDays = 400,
  deadlineMs = 1_000,
  clock = systemClock,
}: RedisUsageOptions): UsageStore {
  requireOption('prefix', prefix, 'a name without braces', (name) => name !== '' && !/[{}]/.test(name));
  requireWhole('retentionDays', retentionDays, 1);
  const scripts = createScriptRunner({ client, deadlineMs, clock });
  const keyOf = (day: string) => `{${prefix}:${day}}`;

  const readDay = async (day: string): Promise<readonly UsageRow[]> => {
    const rows = new Map<string, UsageSum>();
    let cursor = '0';
    do {
      const [next, fields] = (await scripts.run(scanScript, [keyOf(day)], [cursor, String(pageSize)])) as [
        string,
        string[],
      ];
      // A field may come twice while the hash grows; what came last is true.
      for (let i = 0; i < fields.length; i += 2) place(rows, fields[i] ?? '', fields[i + 1] ?? '0');
      cursor = next;
    } while (cursor !== '0');
    return Array.from(rows, ([text, counts]) => ({ ...keyOfText(text), ...counts }));
  };

  return {
    name: 'redis',
    async add({ id, day, rows }) {
      const amounts = rows.flatMap(amountsOf);
      const keys = [keyOf(day), `${keyOf(day)}:batch:${id}`];
      await scripts.run(addScript, keys, [String(rememberMs), String(retentionDays * dayMs), ...amounts]);
    },
    async *read({ from, to, tenant }) {
      for (const day of daysOf(from, to)) {
        const rows = await readDay(day);
        if (rows.length > 0) yield { day, rows: rows.filter((row) => tenant === undefined || row.tenant === tenant) };
      }
    },
    async prune(before) {
      // What is older still has expired.
      for (const day of daysOf(plusDays(before, -2 * retentionDays), plusDays(before, -1)))
        await scripts.run(dropScript, [keyOf(day)]);
    },
  };
}

/** Only what is not zero, but at least one field: that somebody was there counts as well. */
function amountsOf(row: UsageRow): readonly string[] {
  const text = keyText(row);
  return countNames.flatMap((name, i) => {
    return name === 'messages' || BigInt(row[name]) !== 0n ? [`${i}${text}`, String(row[name])] : [];
  });
}

function place(rows: Map<string, UsageSum>, field: string, value: string): void {
  const start = field.indexOf('[');
  const text = field.slice(start);
  const name = countNames[Number(field.slice(0, start))];
  let sum = rows.get(text);
  if (sum === undefined) rows.set(text, (sum = { ...noUsage }));
  if (name === 'costNanoUsd') sum.costNanoUsd = BigInt(value);
  else if (name !== undefined) sum[name] = Number(value);
}
