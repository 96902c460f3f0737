import { AsyncResource } from 'node:async_hooks';
import {
  type Clock,
  type HealthCheck,
  type HealthResult,
  operate,
  type Random,
  type Timer,
  verdictOf,
} from '@sage-adk/core';
import { withTimeout } from '@sage-adk/core/deadline';
import type { CheckReport } from '../verdict.ts';

export interface WatchOptions {
  /** Time from the end of one run to the next, spread by a tenth to either side so that agents do not check in step. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Checks run here: a request that registers or refreshes one must not lend it its deadline, its signal or its trace. */
const outside = new AsyncResource('sage-adk:health');

/** Runs one check in the background, one run at a time, and keeps its last result. */
export class WatchedCheck {
  readonly #check: HealthCheck;
  readonly #options: WatchOptions;
  #report: CheckReport;
  /** The run that has not come to its end, even if it was given up. */
  #running: Promise<HealthResult> | undefined;
  #timer: Timer | undefined;
  readonly #closing = new AbortController();

  constructor(check: HealthCheck, options: WatchOptions) {
    this.#check = check;
    this.#options = options;
    this.#report = {
      name: check.name,
      critical: check.critical ?? true,
      status: 'fail',
      checkedAtMs: undefined,
      detail: undefined,
    };
    void this.run();
  }

  get report(): CheckReport {
    return this.#report;
  }

  /** Runs the check now; a run that is under way serves for this call too. */
  async run(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    await outside.runInAsyncScope(() => this.#observe());
    this.#schedule();
  }

  /** Aborts a run that is under way; the report stays as it is. */
  close(): void {
    this.#timer?.cancel();
    this.#closing.abort();
  }

  async #observe(): Promise<void> {
    const { timeoutMs, clock } = this.#options;
    const { name, critical } = this.#report;
    await operate('health.check', { check: name, critical }, async (operation) => {
      try {
        const result = await withTimeout(timeoutMs, ({ signal }) => this.#once(signal), {
          operation: 'health.check',
          parent: this.#closing.signal,
          clock,
        });
        this.#keep(result);
        if (result.status === 'fail') operation.settle('error');
      } catch (error) {
        this.#keep({ status: 'fail', detail: reasonOf(error) });
        operation.settle(verdictOf(error).outcome, error);
      }
      operation.set({ status: this.#report.status });
    });
  }

  // A check that ignores its signal is not started a second time beside itself: the next run waits for the same one.
  #once(signal: AbortSignal): Promise<HealthResult> {
    this.#running ??= this.#start(signal);
    return this.#running;
  }

  async #start(signal: AbortSignal): Promise<HealthResult> {
    try {
      return (await this.#check.check(signal)) ?? { status: 'pass' };
    } finally {
      this.#running = undefined;
    }
  }

  #keep({ status, detail }: HealthResult): void {
    if (this.#closing.signal.aborted) return;
    const checkedAtMs = this.#options.clock.now();
    this.#report = { ...this.#report, status, detail, checkedAtMs };
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    const { intervalMs, random, clock } = this.#options;
    this.#timer?.cancel();
    const delayMs = intervalMs * (0.9 + 0.2 * random());
    this.#timer = outside.runInAsyncScope(() => clock.setTimer(() => void this.run(), delayMs));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
