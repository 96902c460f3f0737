/** The command `sage-audit`. Ends with 0 where the log is whole, 1 where it is not, 2 where the call is wrong. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type AuditReport, auditReport } from './report.ts';
import { type Finding, verifyAudit } from './verify.ts';

const usage = `usage: sage-audit verify FOLDER [--key-file FILE] [--json]
       sage-audit report FOLDER --from DATE --to DATE [--key-file FILE] [--json]`;

export function runAudit(args: readonly string[], print: (text: string) => void): number {
  try {
    return run(args, print);
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
}

function run(args: readonly string[], print: (text: string) => void): number {
  const text = { type: 'string' } as const;
  const options = { 'key-file': text, from: text, to: text, json: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [command, folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error('One folder is needed.');
  const keyFile = values['key-file'];
  const log = { folder, ...(keyFile !== undefined && { key: readFileSync(keyFile, 'utf8').trim() }) };
  if (command === 'verify') {
    const { ok, findings, chains } = verifyAudit(log);
    const records = chains.reduce((sum, chain) => sum + chain.records.length, 0);
    const summary = { ok, chains: chains.length, records, findings };
    print(values.json ? JSON.stringify(summary) : verified(summary));
    return ok ? 0 : 1;
  }
  if (command !== 'report') throw new Error(`No command "${command}".`);
  const report = auditReport({ ...log, from: dateOf('--from', values.from), to: dateOf('--to', values.to) });
  print(values.json ? JSON.stringify(report) : reported(report));
  return report.verified ? 0 : 1;
}

function dateOf(option: string, value: string | undefined): Date {
  const date = new Date(value ?? '');
  if (Number.isNaN(date.getTime())) throw new Error(`${option} needs a date such as 2026-11-01.`);
  return date;
}

interface Summary {
  readonly ok: boolean;
  readonly chains: number;
  readonly records: number;
  readonly findings: readonly Finding[];
}

function verified({ ok, chains, records, findings }: Summary): string {
  return [`${ok ? 'whole' : 'NOT WHOLE'}: ${records} records in ${chains} chains`, ...findings.map(told)].join('\n');
}

function told({ kind, chain, seq, message }: Finding): string {
  return `  ${kind} ${chain}${seq === undefined ? '' : `:${seq}`} ${message}`;
}

function reported({ from, to, verified: ok, findings, records, controls, gaps }: AuditReport): string {
  return [
    `${from} to ${to}: ${records} records, ${ok ? 'the log is whole' : 'THE LOG IS NOT WHOLE'}`,
    ...findings.map(told),
    ...controls.map(({ control, events, outcomes }) => `${control}: ${pairs(events)}${outcomeText(outcomes)}`),
    ...gaps.map((gap) => `nothing recorded from ${gap.from} to ${gap.to} (after ${gap.after})`),
  ].join('\n');
}

function outcomeText(outcomes: Readonly<Record<string, number>>): string {
  const text = pairs(outcomes);
  return text === '' ? '' : ` (${text})`;
}

function pairs(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
