/** A service level objective: which share of what happens has to be good, over which time. */
import { requireNumber, requireOption, requireWhole } from '@sage-adk/core';
import { metricRows } from '../table.ts';

/** Series of a metric. A list of values is any of them. */
export interface Selector {
  readonly metric: string;
  readonly where?: Readonly<Record<string, string | readonly string[]>>;
}

/** What is measured. */
export type Indicator =
  /** Share of a counter that is not bad. */
  | { readonly type: 'availability'; readonly total: Selector; readonly bad: Selector }
  /** Share of a histogram at or below a bound, which has to be one of its buckets. */
  | { readonly type: 'latency'; readonly histogram: Selector; readonly withinSeconds: number }
  /** Share of a counter that is good: answers rated well, checks passed. */
  | { readonly type: 'quality'; readonly total: Selector; readonly good: Selector };

export interface SloOptions {
  /** Lower case with underscores: `agent_availability`. */
  readonly name: string;
  /** Good share, above 0 and below 1: 0.999. */
  readonly objective: number;
  /** @default 30 */
  readonly windowDays?: number;
  readonly indicator: Indicator;
  /** What to do when it burns; in the alerts as `runbook_url`. */
  readonly runbookUrl?: string;
}

export interface Slo extends SloOptions {
  readonly windowDays: number;
  /** Alerts that can fire, the fastest first. */
  readonly burns: readonly Burn[];
}

/** An alert of two windows: the long one says that it matters, the short one that it still goes on. */
export interface Burn {
  readonly severity: 'page' | 'ticket';
  readonly long: string;
  readonly short: string;
  /** Bad share above which it fires: so many times what the budget allows. */
  readonly above: number;
}

/**
 * Checks an objective and computes its alerts, after the multi-window, multi-burn-rate alerts of the SRE workbook: a page for 2 % of the budget in an hour or 5 % in six, a
 * ticket for 10 % in one day or in three. An alert that could only fire above a bad share of 1 is left out.
 *
 * Throws `SAGE_CORE_INVALID_OPTION`.
 *
 * @see https://sre.google/workbook/alerting-on-slos/
 *
 * @example
 * ```ts
 * const availability = defineSlo({ name: 'agent_availability', objective: 0.999, indicator: requestsAvailable });
 * ```
 */
export function defineSlo(options: SloOptions): Slo {
  const { name, objective, windowDays = 30, indicator } = options;
  requireOption('name', name, 'lower case letters, digits and underscores', (text) => /^[a-z][a-z0-9_]*$/.test(text));
  requireOption('objective', objective, 'a share above 0 and below 1', (share) => share > 0 && share < 1);
  requireWhole('windowDays', windowDays, 1, 365);
  requireIndicator(indicator);
  const burns = shares
    .filter(({ hours }) => hours < windowDays * 24)
    .map(({ share, hours, ...burn }): Burn => {
      return { ...burn, above: round((share * windowDays * 24 * (1 - objective)) / hours) };
    })
    .filter(({ above }) => above < 1);
  requireOption('objective', objective, 'one that an alert can be made for', () => burns.length > 0);
  return { ...options, windowDays, burns };
}

/** Requests to the agent that did not end in an error or a timeout. What was denied or cancelled is no part of it. */
export const requestsAvailable: Indicator = {
  type: 'availability',
  total: { metric: 'sage_agent_requests_total', where: { outcome: ['ok', 'error', 'timeout'] } },
  bad: { metric: 'sage_agent_requests_total', where: { outcome: ['error', 'timeout'] } },
};

/** Requests to the agent that ended well, within so many seconds. */
export function requestsWithin(withinSeconds: number): Indicator {
  return {
    type: 'latency',
    histogram: { metric: 'sage_agent_request_duration_seconds', where: { outcome: 'ok' } },
    withinSeconds,
  };
}

/** Logical calls of a model that gave an answer, with all their tries and fallbacks. */
export const modelAnswers: Indicator = {
  type: 'quality',
  total: { metric: 'sage_llm_calls_total', where: { outcome: ['ok', 'error', 'timeout'] } },
  good: { metric: 'sage_llm_calls_total', where: { outcome: 'ok' } },
};

const shares = [
  { severity: 'page', share: 0.02, hours: 1, long: '1h', short: '5m' },
  { severity: 'page', share: 0.05, hours: 6, long: '6h', short: '30m' },
  { severity: 'ticket', share: 0.1, hours: 24, long: '1d', short: '2h' },
  { severity: 'ticket', share: 0.1, hours: 72, long: '3d', short: '6h' },
] as const;

function requireIndicator(indicator: Indicator): void {
  for (const { metric, where = {} } of selectorsOf(indicator)) {
    requireOption('metric', metric, 'a Prometheus metric name', (text) => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(text));
    for (const [label, values] of Object.entries(where)) {
      requireOption('where', label, 'a label name', (text) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text));
      requireOption('where', label, 'a label with a value', () => values.length > 0);
    }
  }
  if (indicator.type !== 'latency') return;
  const { histogram, withinSeconds } = indicator;
  requireNumber('withinSeconds', withinSeconds, 0);
  const row = metricRows.find(({ name }) => name === histogram.metric);
  if (row?.type !== 'histogram') return;
  requireOption('withinSeconds', withinSeconds, `a bucket of ${row.name}: ${row.buckets.join(', ')}`, (bound) => {
    return row.buckets.includes(bound);
  });
}

function selectorsOf(indicator: Indicator): readonly Selector[] {
  if (indicator.type === 'latency') return [indicator.histogram];
  return [indicator.total, indicator.type === 'quality' ? indicator.good : indicator.bad];
}

/** Without the noise of binary fractions: these numbers are read by people. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
