/** Who asked for what, for later questions: rows that are written in batches, away from decisions. */
import { type Clock, requireNumber, requireOption, requireWhole, type Timer } from '@sage-adk/core';
import type { PostgresClient } from '@sage-adk/core/postgres';
import type { CompiledRule } from '../../compile.ts';
import type { Ask } from '../store.ts';

/** Which decisions are written down, and how. */
export interface AuditOptions {
  /**
   * `all`: every decision. `denials`: those that were denied. `sampled`: a share of all. `money`: rules of cost only. Rows of rules of cost are written in
   * the transaction of their decision by `all` and `money`; all else in batches, of which a crash of this process loses the last.
   */
  readonly mode: 'all' | 'denials' | 'sampled' | 'money';
  /** Of `sampled`: which share, above 0 and at most 1. @default 0.01 */
  readonly share?: number;
  /** How long a row may wait for its batch, in milliseconds. @default 1000 */
  readonly flushMs?: number;
  /** Rows that may wait; further ones are dropped and counted. @default 10_000 */
  readonly maxWaiting?: number;
}

/** What became of one ask. */
export interface AuditRow {
  readonly kind: string;
  readonly ask: Ask;
  /** What a settlement replaces; else 0. */
  readonly held: number;
  readonly allowed: boolean;
  readonly reservation: string | undefined;
}

export interface Audit {
  /** Whether the server writes the rows of a rule in the transaction. */
  isTransactional(rule: CompiledRule): boolean;
  add(row: AuditRow): void;
  /** Writes what waits. Rows that cannot be written are dropped and counted. */
  flush(): Promise<void>;
  counts(): { readonly waiting: number; readonly dropped: number };
}

const mostRows = 1_000;

export function createAudit(
  client: PostgresClient,
  at: string,
  clock: Clock,
  random: () => number,
  { mode, share = 0.01, flushMs = 1_000, maxWaiting = 10_000 }: AuditOptions,
): Audit {
  requireOption('audit.mode', mode, '"all", "denials", "sampled" or "money"', (value) => modes.has(value));
  requireNumber('audit.share', share, 0, 1);
  requireWhole('audit.flushMs', flushMs, 1, 3_600_000);
  requireWhole('audit.maxWaiting', maxWaiting, 1, 1_000_000);
  const weight = mode === 'sampled' ? 1 / share : 1;
  let waiting: (AuditRow & { readonly atMs: number })[] = [];
  let dropped = 0;
  let timer: Timer | undefined;

  const isTransactional = ({ unit }: CompiledRule): boolean => inTransaction(mode) && unit === 'cost';
  const isWanted = ({ ask, allowed }: AuditRow): boolean =>
    !isTransactional(ask.rule) &&
    (mode === 'all' || (mode === 'denials' && !allowed) || (mode === 'sampled' && random() < share));

  async function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, mostRows);
      waiting = waiting.slice(mostRows);
      const rows = batch.map(({ atMs, ask: { rule, key, cost }, ...row }) => {
        return { ...row, at: atMs, rule: rule.id, unit: rule.unit, scope: rule.scope, key, cost };
      });
      try {
        await client.query(insertSql(at), [JSON.stringify(rows), String(weight)], { deadlineMs: 5_000 });
      } catch {
        dropped += batch.length;
      }
    }
  }

  return {
    isTransactional,
    add(row) {
      if (!isWanted(row)) return;
      if (waiting.length >= maxWaiting) dropped++;
      else waiting.push({ ...row, atMs: clock.now() });
      timer ??= clock.setTimer(() => void flush(), flushMs);
    },
    flush,
    counts: () => ({ waiting: waiting.length, dropped }),
  };
}

function inTransaction(mode: AuditOptions['mode']): boolean {
  return mode === 'all' || mode === 'money';
}

const modes = new Set<unknown>(['all', 'denials', 'sampled', 'money']);

function insertSql(at: string): string {
  return `insert into ${at}sage_limiter_audit (at, kind, rule, unit, scope, key, cost, held, allowed, weight, reservation)
    select to_timestamp(r.at / 1000.0), r.kind, r.rule, r.unit, r.scope, r.key, r.cost, r.held, r.allowed, $2::text::double precision, r.reservation
    from jsonb_to_recordset($1::text::jsonb)
      as r (at double precision, kind text, rule text, unit text, scope text, key text, cost bigint, held bigint, allowed boolean, reservation text)`;
}
