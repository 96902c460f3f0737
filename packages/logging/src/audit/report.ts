/** What an auditor asks for: events by control in a period, whether the log is whole, and when nothing was recorded. */
import type { AuditRecord } from './record.ts';
import { type Finding, verifyAudit } from './verify.ts';

export interface AuditReport {
  readonly from: string;
  readonly to: string;
  /** Whether the whole log passed the verification, not only the period. */
  readonly verified: boolean;
  readonly findings: readonly Finding[];
  readonly records: number;
  readonly controls: readonly ControlSummary[];
  /** Times in the period in which no chain was open, and none could have recorded. */
  readonly gaps: readonly Gap[];
}

export interface ControlSummary {
  readonly control: string;
  readonly events: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface Gap {
  readonly from: string;
  readonly to: string;
  /** `crash`: the last chain before it was not closed. */
  readonly after: 'close' | 'crash' | 'begin';
}

export interface AuditReportOptions {
  readonly folder: string;
  readonly key?: string;
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

export function auditReport({ folder, key, from, to }: AuditReportOptions): AuditReport {
  const { ok, findings, chains } = verifyAudit(key === undefined ? { folder } : { folder, key });
  const period = { from: from.toISOString(), to: to.toISOString() };
  const records = chains.flatMap((chain) => chain.records).filter(({ ts }) => ts >= period.from && ts < period.to);
  const spans = chains.flatMap((chain): Span[] => {
    const [first, last] = [chain.records[0], chain.records.at(-1)];
    return first && last ? [{ from: first.ts, to: last.ts, closed: chain.closed }] : [];
  });
  return {
    ...period,
    verified: ok,
    findings,
    records: records.length,
    controls: byControl(records),
    gaps: gapsOf(spans, period),
  };
}

function byControl(records: readonly AuditRecord[]): ControlSummary[] {
  const groups = Map.groupBy(records, ({ control }) => control);
  return [...groups.keys()].toSorted().map((control) => {
    const group = groups.get(control) ?? [];
    return {
      control,
      events: counted(group.map(({ event }) => event)),
      outcomes: counted(group.flatMap(({ outcome }) => outcome ?? [])),
    };
  });
}

function counted(names: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(names, (name) => name);
  return Object.fromEntries([...groups.keys()].toSorted().map((name) => [name, groups.get(name)?.length ?? 0]));
}

interface Span {
  readonly from: string;
  readonly to: string;
  readonly closed: boolean;
}

function gapsOf(spans: readonly Span[], period: { from: string; to: string }): Gap[] {
  const gaps: Gap[] = [];
  let until = period.from;
  let after: Gap['after'] = 'begin';
  for (const span of spans.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    if (span.from > until && until < period.to) gaps.push({ from: until, to: earlier(span.from, period.to), after });
    if (span.to > until || after === 'begin') {
      until = span.to > until ? span.to : until;
      after = span.closed ? 'close' : 'crash';
    }
  }
  if (until < period.to) gaps.push({ from: until, to: period.to, after });
  return gaps;
}

const earlier = (a: string, b: string): string => (a < b ? a : b);
