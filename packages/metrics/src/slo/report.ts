/** How objectives stand: as data, JSON, CSV and Markdown. */
import { csvOf } from '../documents/csv.ts';
import { markdownTable } from '../documents/markdown.ts';
import type { HourCount } from './monitor.ts';
import type { Slo } from './slo.ts';

export interface SlaReport {
  /** When it was made, in ISO 8601. */
  readonly madeAt: string;
  readonly objectives: readonly SlaLine[];
}

export interface SlaLine {
  readonly name: string;
  readonly type: Slo['indicator']['type'];
  readonly objective: number;
  readonly windowDays: number;
  /** What it knows begins here, if that is later than the window. ISO 8601. */
  readonly knownSince: string;
  readonly total: number;
  readonly bad: number;
  /** Good share; undefined where nothing happened. */
  readonly achieved: number | undefined;
  /** Whether `achieved` is at least the objective; undefined where nothing happened. */
  readonly met: boolean | undefined;
  /** Share of the error budget of what happened that is left; below 0 where it is overspent. */
  readonly budgetLeft: number | undefined;
  readonly days: readonly SlaDay[];
}

/** One day of UTC on which something happened. */
export interface SlaDay {
  readonly day: string;
  readonly total: number;
  readonly bad: number;
  readonly achieved: number;
  readonly met: boolean;
}

const hourMs = 3_600_000;

export function reportOf(
  kept: readonly { readonly slo: Slo; readonly hours: readonly HourCount[] }[],
  sinceMs: number,
  nowMs: number,
): SlaReport {
  return {
    madeAt: new Date(nowMs).toISOString(),
    objectives: kept.map(({ slo, hours }) => {
      const firstHour = Math.floor(nowMs / hourMs) - slo.windowDays * 24 + 1;
      return lineOf(
        slo,
        hours.filter(({ hour }) => hour >= firstHour),
        Math.max(sinceMs, firstHour * hourMs),
      );
    }),
  };
}

export function slaToJson(report: SlaReport): string {
  return JSON.stringify(report, null, 2);
}

/** A line for each objective, then one for each of its days. */
export function slaToCsv({ objectives }: SlaReport): string {
  const heads = ['name', 'type', 'objective', 'windowDays', 'period', 'total', 'bad', 'achieved', 'met', 'budgetLeft'];
  const rows = objectives.flatMap(({ name, type, objective, windowDays, knownSince, days, ...line }) => [
    [name, type, objective, windowDays, `since ${knownSince}`, ...figures(line), line.budgetLeft ?? ''],
    ...days.map((day) => [name, type, objective, windowDays, day.day, ...figures(day), '']),
  ]);
  return csvOf([heads, ...rows]);
}

/** For people: a table of the objectives, and one of the days that missed theirs. */
export function slaToMarkdown({ madeAt, objectives }: SlaReport): string {
  const lines = objectives.map(({ name, objective, windowDays, knownSince, total, bad, achieved, met, budgetLeft }) => [
    name,
    percent(objective),
    `${windowDays} days, known since ${knownSince.slice(0, 16)}Z`,
    total,
    bad,
    percent(achieved),
    percent(budgetLeft),
    met === undefined ? 'nothing happened' : met ? 'met' : 'missed',
  ]);
  const missed = objectives.flatMap(({ name, days }) =>
    days.filter(({ met }) => !met).map(({ day, total, bad, achieved }) => [name, day, total, bad, percent(achieved)]),
  );
  return [
    `# Service levels\n\nMade at ${madeAt}.\n`,
    markdownTable(['objective', 'wanted', 'window', 'total', 'bad', 'achieved', 'budget left', ''], lines),
    '## Days below their objective\n',
    missed.length === 0 ? 'None.\n' : markdownTable(['objective', 'day', 'total', 'bad', 'achieved'], missed),
  ].join('\n');
}

function lineOf(slo: Slo, hours: readonly HourCount[], knownSinceMs: number): SlaLine {
  const { name, objective, windowDays, indicator } = slo;
  const { total, bad } = sumOf(hours);
  const achieved = total === 0 ? undefined : (total - bad) / total;
  const byDay = Map.groupBy(hours, ({ hour }) => new Date(hour * hourMs).toISOString().slice(0, 10));
  return {
    name,
    type: indicator.type,
    objective,
    windowDays,
    knownSince: new Date(knownSinceMs).toISOString(),
    total,
    bad,
    achieved,
    met: achieved === undefined ? undefined : achieved >= objective,
    budgetLeft: total === 0 ? undefined : 1 - bad / (total * (1 - objective)),
    days: Array.from(byDay, ([day, some]) => dayOf(day, some, objective)).filter((day) => day.total > 0),
  };
}

function dayOf(day: string, hours: readonly HourCount[], objective: number): SlaDay {
  const { total, bad } = sumOf(hours);
  const achieved = (total - bad) / total;
  return { day, total, bad, achieved, met: achieved >= objective };
}

function sumOf(hours: readonly HourCount[]): { readonly total: number; readonly bad: number } {
  return {
    total: hours.reduce((sum, hour) => sum + hour.total, 0),
    bad: hours.reduce((sum, hour) => sum + hour.bad, 0),
  };
}

function figures({ total, bad, achieved, met }: Pick<SlaLine, 'total' | 'bad' | 'achieved' | 'met'>) {
  return [total, bad, achieved ?? '', met === undefined ? '' : String(met)];
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${Number((share * 100).toFixed(4))} %`;
}
