/** What was used in a range of days, and by whom. */
import { type Clock, requireOption, requireWhole, systemClock } from '@sage-adk/core';
import { dayAt, daysOf, plusDays, requireDay } from './day.ts';
import { type CostForecast, forecastCost } from './forecast.ts';
import { addUsage, noUsage, numberNames, type UsageCounts, type UsageRow, type UsageSum } from './row.ts';
import type { UsageStore } from './store.ts';

export interface UsageReportOptions {
  readonly store: UsageStore;
  /** The first day, of UTC: `2026-11-01`. One of the last 3,660. */
  readonly from: string;
  /** The last day, included. At most 366 days from now. */
  readonly to: string;
  /** Only what is of this tenant. */
  readonly tenant?: string;
  /** Lines of each list, the costliest first; the rest is summed in one line, `other`. @default 100 */
  readonly top?: number;
  /** Says which day is not over yet. */
  readonly clock?: Clock;
}

/** A line of a report. */
export interface UsageLine extends UsageCounts {
  readonly label: string;
  /** Set where the line is of a user or a tenant. */
  readonly tenant?: string;
}

export interface UserLine extends UsageLine {
  /** Different sessions, over all days of the range. */
  readonly sessions: number;
}

/** Users with a message or a call, told apart by tenant. What has no user is none. */
export interface ActiveUsers {
  readonly day: string;
  readonly users: number;
  /** In the seven days that end with this one; the report reads the six days before its range for it. */
  readonly usersOfWeek: number;
}

export interface UsageReport {
  readonly from: string;
  readonly to: string;
  readonly tenant: string | undefined;
  /** When it was made, in ISO 8601. */
  readonly madeAt: string;
  readonly total: UsageCounts;
  readonly byTenant: readonly UsageLine[];
  readonly byUser: readonly UserLine[];
  readonly byAgent: readonly UsageLine[];
  /** By provider and model: `openai/gpt-5`. */
  readonly byModel: readonly UsageLine[];
  readonly byDay: readonly UsageLine[];
  readonly activeUsers: readonly ActiveUsers[];
  /** From the whole days of the 28 before today; missing where they are fewer than 3. Calls of unknown cost are in none of it. */
  readonly forecast: CostForecast | undefined;
}

/**
 * Reads a store, page by page, and sums. Memory grows with the users, sessions and models of the range.
 *
 * Throws `SAGE_CORE_INVALID_OPTION`; rejects as the store does.
 */
export async function createUsageReport({
  store,
  from,
  to,
  tenant,
  top = 100,
  clock = systemClock,
}: UsageReportOptions): Promise<UsageReport> {
  requireDay('from', from);
  requireDay('to', to);
  requireOption('to', to, `a day not before ${from}`, (day) => day >= from);
  requireWhole('top', top, 1);
  const today = dayAt(clock.now());
  // Each day is read and has lines of its own; whoever asks over HTTP must not ask for a thousand years.
  requireOption('from', from, 'one of the last 3660 days', (day) => day >= plusDays(today, -3_660));
  requireOption('to', to, 'at most 366 days from now', (day) => day <= plusDays(today, 366));
  const summary = new Summary(from, to);
  const costUsd = new Map<string, number>();
  const first = [plusDays(from, -6), plusDays(today, -31)].toSorted()[0] ?? from;
  const last = to > today ? to : today;
  for await (const { day, rows } of store.read({ from: first, to: last, ...(tenant !== undefined && { tenant }) })) {
    for (const row of rows) {
      summary.add(day, row);
      costUsd.set(day, (costUsd.get(day) ?? 0) + Number(row.costNanoUsd) / 1e9);
    }
  }
  const madeAt = new Date(clock.now()).toISOString();
  return { from, to, tenant, madeAt, ...summary.lines(top), forecast: forecastCost(costUsd, today) };
}

class Summary {
  readonly #from: string;
  readonly #to: string;
  readonly #total: UsageSum = { ...noUsage };
  readonly #groups = {
    byTenant: new Group(),
    byUser: new Group(),
    byAgent: new Group(),
    byModel: new Group(),
    byDay: new Group(),
  };
  readonly #sessions: Map<string, Set<string>> = new Map();
  readonly #users: Map<string, Set<string>> = new Map();

  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
  }

  add(day: string, row: UsageRow): void {
    const { tenant, user, agent, session, provider, model } = row;
    const userKey = JSON.stringify([tenant, user]);
    if (user !== '') setOf(this.#users, day).add(userKey);
    if (day < this.#from || day > this.#to) return;
    addUsage(this.#total, row);
    const { byTenant, byUser, byAgent, byModel, byDay } = this.#groups;
    byTenant.add(tenant, { label: tenant }, row);
    byUser.add(userKey, { label: user, tenant }, row);
    byAgent.add(agent, { label: agent }, row);
    if (model !== '') byModel.add(JSON.stringify([provider, model]), { label: `${provider}/${model}` }, row);
    byDay.add(day, { label: day }, row);
    if (session !== '') setOf(this.#sessions, userKey).add(session);
  }

  lines(top: number) {
    const { byTenant, byUser, byAgent, byModel, byDay } = this.#groups;
    const sessionsOf = (key: string) => this.#sessions.get(key)?.size ?? 0;
    return {
      total: this.#total,
      byTenant: byTenant.top(top),
      byUser: byUser.top(top, sessionsOf),
      byAgent: byAgent.top(top),
      byModel: byModel.top(top),
      byDay: daysOf(this.#from, this.#to).map((day): UsageLine => ({
        ...noUsage,
        ...byDay.lines.get(day),
        label: day,
      })),
      activeUsers: daysOf(this.#from, this.#to).map((day) => this.#activeOn(day)),
    };
  }

  #activeOn(day: string): ActiveUsers {
    const week = new Set(daysOf(plusDays(day, -6), day).flatMap((ofWeek) => [...(this.#users.get(ofWeek) ?? [])]));
    return { day, users: this.#users.get(day)?.size ?? 0, usersOfWeek: week.size };
  }
}

type Line = UsageSum & { readonly label: string; readonly tenant?: string };

/** Sums by one key, which the lines then don't show. */
class Group {
  readonly lines: Map<string, Line> = new Map();

  add(key: string, head: Pick<Line, 'label' | 'tenant'>, row: UsageRow): void {
    let line = this.lines.get(key);
    if (line === undefined) this.lines.set(key, (line = { ...head, ...noUsage }));
    addUsage(line, row);
  }

  top(limit: number, sessionsOf: (key: string) => number = () => 0): readonly UserLine[] {
    const sorted = Array.from(this.lines, ([key, line]): UserLine => ({ ...line, sessions: sessionsOf(key) })).toSorted(
      costliestFirst,
    );
    if (sorted.length <= limit) return sorted;
    const rest = sorted.slice(limit - 1);
    const sum: UsageSum = { ...noUsage };
    for (const line of rest) addUsage(sum, line);
    const sessions = rest.reduce((count, line) => count + line.sessions, 0);
    return [...sorted.slice(0, limit - 1), { label: 'other', ...sum, sessions }];
  }
}

function costliestFirst(a: UsageLine, b: UsageLine): number {
  if (a.costNanoUsd !== b.costNanoUsd) return a.costNanoUsd < b.costNanoUsd ? 1 : -1;
  const busier = numberNames.map((name) => b[name] - a[name]).find((difference) => difference !== 0);
  return busier ?? (a.label < b.label ? -1 : 1);
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Set()));
  return set;
}
