/**
 * A limit on retries as a share of calls, so that an outage is not made worse by those who want to help themselves.
 *
 * In any window, a dependency gets at most `ratio` retries per call and a floor of `minPerSecond` for those who call seldom. One budget is shared by
 * all who call the dependency from this process; a fallback to another dependency is charged to that one's.
 *
 * @see Finagle's RetryBudget and GEP-3388 for the same rule elsewhere
 */
import { type Clock, requireNumber, requireWhole, systemClock } from '@sage-adk/core';
import { offerCounters } from '../policy/counters.ts';
import { RollingWindow } from '../time/rolling-window.ts';

export interface RetryBudgetOptions {
  /** Retries per call. Recovers from errors in about `ratio / (1 + ratio)` of all tries; above that, calls go to the fallback. @default 0.2 */
  readonly ratio?: number;
  /** @default 10_000 */
  readonly windowMs?: number;
  /** Retries per second that are always there. @default 1 */
  readonly minPerSecond?: number;
  /** Most retries in a window, whatever the ratio says. @default Infinity */
  readonly maxPerWindow?: number;
  readonly clock?: Clock;
}

/** The budget of one dependency. */
export interface RetryBudget {
  /**
   * Counts a call, at its first try.
   *
   * @param nowMs the clock's monotonic time, where the caller has just read it
   */
  deposit(nowMs?: number): void;
  /** Takes one retry; false where none is left, and then nothing is taken. */
  tryWithdraw(): boolean;
  readonly snapshot: RetryBudgetSnapshot;
}

export interface RetryBudgetSnapshot {
  readonly dependency: string;
  /** Calls in the window. */
  readonly calls: number;
  /** Retries in the window. */
  readonly retries: number;
  /** Retries that could start now. */
  readonly left: number;
  /** Retries that were refused, since the start. */
  readonly refused: number;
}

/** A budget per dependency. */
export interface RetryBudgets extends AsyncDisposable {
  /** @param dependency one of few names: each is kept */
  of(dependency: string): RetryBudget;
  snapshot(): readonly RetryBudgetSnapshot[];
  /** Takes the counters away; the budgets still work. */
  close(): void;
}

/**
 * Makes budgets for all dependencies of a process. Counters under `recovery.budget`, per dependency: retries, left, refused.
 *
 * @example
 * ```ts
 * const budgets = createRetryBudgets({ ratio: 0.1 });
 * const retry = createRetry({ budget: budgets });
 * ```
 */
export function createRetryBudgets({
  ratio = 0.2,
  windowMs = 10_000,
  minPerSecond = 1,
  maxPerWindow = Number.POSITIVE_INFINITY,
  clock = systemClock,
}: RetryBudgetOptions = {}): RetryBudgets {
  requireNumber('ratio', ratio, 0);
  requireNumber('windowMs', windowMs, 10);
  requireNumber('minPerSecond', minPerSecond, 0);
  if (maxPerWindow !== Number.POSITIVE_INFINITY) requireWhole('maxPerWindow', maxPerWindow, 0);
  const allowed = (calls: number): number =>
    Math.min(maxPerWindow, Math.floor(ratio * calls + (minPerSecond * windowMs) / 1_000 + rounding));
  const budgets = new Map<string, RetryBudget>();
  const snapshot = (): readonly RetryBudgetSnapshot[] => [...budgets.values()].map((budget) => budget.snapshot);
  const counters = offerCounters('recovery.budget', snapshot, ({ retries, left, refused }) => ({
    retries,
    left,
    refused,
  }));
  const close = (): void => counters[Symbol.dispose]();
  return {
    of(dependency) {
      let budget = budgets.get(dependency);
      if (budget === undefined)
        budgets.set(dependency, (budget = new WindowedBudget(dependency, allowed, windowMs, clock)));
      return budget;
    },
    snapshot,
    close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

/** The budgets with all defaults that every retry on this clock shares. */
export function budgetsOf(clock: Clock): RetryBudgets {
  let budgets = shared.get(clock);
  if (budgets === undefined) shared.set(clock, (budgets = createRetryBudgets({ clock })));
  return budgets;
}

const shared = new WeakMap<Clock, RetryBudgets>();

// 0.2 * 5 and its like must not come out a hair below the whole number.
const rounding = 1e-9;
const calls = 0;
const retries = 1;

class WindowedBudget implements RetryBudget {
  readonly #dependency: string;
  readonly #allowed: (calls: number) => number;
  readonly #window: RollingWindow;
  readonly #clock: Clock;
  #refused = 0;

  constructor(dependency: string, allowed: (calls: number) => number, windowMs: number, clock: Clock) {
    this.#dependency = dependency;
    this.#allowed = allowed;
    this.#window = new RollingWindow(2, windowMs, 10);
    this.#clock = clock;
  }

  deposit(nowMs: number = this.#clock.monotonicMs()): void {
    this.#window.add(calls, nowMs);
  }

  tryWithdraw(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const taken = this.#window.total(retries, nowMs);
    if (taken + 1 > this.#allowed(this.#window.total(calls, nowMs))) {
      this.#refused++;
      return false;
    }
    this.#window.add(retries, nowMs);
    return true;
  }

  get snapshot(): RetryBudgetSnapshot {
    const nowMs = this.#clock.monotonicMs();
    const made = this.#window.total(calls, nowMs);
    const taken = this.#window.total(retries, nowMs);
    const left = Math.max(0, this.#allowed(made) - taken);
    return { dependency: this.#dependency, calls: made, retries: taken, left, refused: this.#refused };
  }
}
