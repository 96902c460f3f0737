/** A usage report as JSON, CSV and Markdown. */
import { csvOf } from '../documents/csv.ts';
import { markdownTable, markdownText } from '../documents/markdown.ts';
import type { CostRange } from './forecast.ts';
import type { UsageLine, UsageReport, UserLine } from './report.ts';
import { numberNames } from './row.ts';

/** The report as JSON. Costs are decimal texts, `costUsd`, exact to the billionth. */
export function usageToJson(report: UsageReport): string {
  return JSON.stringify(
    report,
    (_, value: unknown) => {
      if (typeof value !== 'object' || value === null || !('costNanoUsd' in value)) return value;
      const { costNanoUsd, ...rest } = value as UsageLine;
      return { ...rest, costUsd: usd(costNanoUsd) };
    },
    2,
  );
}

/** One line for each line of each list, which the first column names. */
export function usageToCsv(report: UsageReport): string {
  const heads = ['list', 'label', 'tenant', 'sessions', ...numberNames, 'costUsd'];
  const rows = lists(report).flatMap(([list, lines]) => lines.map((line) => rowOf(list, line)));
  const active = report.activeUsers.flatMap(({ day, users, usersOfWeek }) => [
    ['activeUsers', 'day', day, users],
    ['activeUsers', 'week', day, usersOfWeek],
  ]);
  return `${csvOf([heads, ...rows])}${csvOf([[], ['list', 'of', 'day', 'users'], ...active])}`;
}

/** For people: totals, cost by tenant, user, agent, model and day, active users and the forecast. */
export function usageToMarkdown(report: UsageReport): string {
  const { from, to, tenant, madeAt, total, activeUsers } = report;
  const of = tenant === undefined ? '' : ` of ${markdownText(tenant)}`;
  return [
    `# Usage${of}, ${from} to ${to}\n`,
    `Made at ${madeAt}. ${sentence(total)}\n`,
    ...lists(report)
      .slice(1)
      .map(([list, lines]) => `## ${titles[list]}\n\n${tableOf(list, lines)}`),
    `## Active users\n\n${markdownTable(
      ['day', 'users', 'users of seven days'],
      activeUsers.map(({ day, users, usersOfWeek }) => [day, users, usersOfWeek]),
    )}`,
    `## Forecast\n\n${forecastOf(report)}`,
  ].join('\n');
}

type List = 'total' | 'byTenant' | 'byUser' | 'byAgent' | 'byModel' | 'byDay';

const titles: Readonly<Record<List, string>> = {
  total: 'Total',
  byTenant: 'By tenant',
  byUser: 'By user',
  byAgent: 'By agent',
  byModel: 'By model',
  byDay: 'By day',
};

function lists(report: UsageReport): readonly (readonly [List, readonly UsageLine[]])[] {
  const { total, byTenant, byUser, byAgent, byModel, byDay } = report;
  return [
    ['total', [{ ...total, label: '' }]],
    ['byTenant', byTenant],
    ['byUser', byUser],
    ['byAgent', byAgent],
    ['byModel', byModel],
    ['byDay', byDay],
  ];
}

function rowOf(list: List, line: UsageLine & Partial<Pick<UserLine, 'sessions'>>): readonly (string | number)[] {
  const numbers = numberNames.map((name) => line[name]);
  return [
    list,
    line.label,
    line.tenant ?? '',
    list === 'byUser' ? (line.sessions ?? 0) : '',
    ...numbers,
    usd(line.costNanoUsd),
  ];
}

function tableOf(list: List, lines: readonly (UsageLine & Partial<Pick<UserLine, 'sessions'>>)[]): string {
  const ofUser = list === 'byUser';
  const heads = [
    ...(ofUser ? ['tenant', 'user', 'sessions'] : [titles[list].slice(3)]),
    'messages',
    'calls',
    'input tokens',
    'output tokens',
    'cost, USD',
    'cost unknown',
  ];
  const rows = lines.map((line) => [
    ...(ofUser ? [named(line.tenant ?? ''), named(line.label), line.sessions ?? 0] : [named(line.label)]),
    line.messages,
    line.calls,
    line.inputTokens,
    line.outputTokens,
    usd(line.costNanoUsd),
    line.unknownCostCalls,
  ]);
  return markdownTable(heads, rows);
}

function sentence({ messages, calls, costNanoUsd, unknownCostCalls }: UsageReport['total']): string {
  const unknown =
    unknownCostCalls === 0 ? '' : ` The cost of ${unknownCostCalls} more calls is unknown, and in none of the sums.`;
  return `${messages} messages, ${calls} calls of a model, ${usd(costNanoUsd)} USD.${unknown}`;
}

function forecastOf({ forecast }: UsageReport): string {
  if (forecast === undefined) return 'None: it takes three whole days with usage.\n';
  const { method, days, next7Days, next30Days, month } = forecast;
  const row = (name: string, { usd: expected, lowUsd, highUsd }: CostRange) => [
    name,
    ...[expected, lowUsd, highUsd].map((cost) => cost.toFixed(2)),
  ];
  const table = markdownTable(
    ['', 'expected, USD', 'low', 'high'],
    [row('next 7 days', next7Days), row('next 30 days', next30Days), row('this month', month)],
  );
  return `${table}\nMethod: ${method}, from ${days} whole days. Four of five outcomes lie between low and high.\n`;
}

function named(text: string): string {
  return text === '' ? 'none' : text;
}

/** Exact to the billionth, two decimals at least. */
function usd(nano: bigint): string {
  const whole = nano / 1_000_000_000n;
  const rest = String(nano % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0{1,7}$/, '');
  return `${whole}.${rest}`;
}
