import { AsyncResource } from 'node:async_hooks';
import { type Clock, type HealthResult, operate, type Random, type Timer, verdictOf } from '@sage-adk/core';
import { withTimeout } from '@sage-adk/core/deadline';
import { textOf, withoutSecrets } from '../detail.ts';
import type { CheckReport } from '../verdict.ts';
import type { CheckSpec, Watching } from './spec.ts';
import { nextStanding, type Standing, statusOf } from './standing.ts';

export interface WatchOptions extends Watching {
  readonly clock: Clock;
  readonly random: Random;
  /** Called after each result. */
  readonly onResult: () => void;
}

/** Checks run here: a request that registers or refreshes one must not lend it its deadline, its signal or its trace. */
const outside = new AsyncResource('sage-adk:health');

/** The last result, and when it came. */
interface Known {
  readonly standing: Standing;
  readonly detail: string | undefined;
  readonly atMs: number;
  readonly monotonicMs: number;
}

/** Runs one check in the background, one run at a time, and keeps its last result. */
export class WatchedCheck {
  readonly #spec: CheckSpec;
  readonly #options: WatchOptions;
  #known: Known | undefined;
  /** The run that has not come to its end, even if it was given up. */
  #running: Promise<HealthResult> | undefined;
  /** The observation that is under way: one run is one result, however many wait for it. */
  #observing: Promise<void> | undefined;
  #timer: Timer | undefined;
  readonly #closing = new AbortController();

  constructor(spec: CheckSpec, options: WatchOptions) {
    this.#spec = spec;
    this.#options = options;
    void this.run();
  }

  get report(): CheckReport {
    const { name, critical = true } = this.#spec;
    const report = { name, critical, checkedAtMs: this.#known?.atMs, detail: this.#known?.detail };
    const reason = this.#failure();
    if (reason === undefined) return { ...report, ...this.#wellness() };
    const status = this.#known !== undefined && this.#hasFallback() ? 'warn' : 'fail';
    return { ...report, status, reason: status === 'warn' ? `${reason}, a fallback serves` : reason };
  }

  /** Runs the check now; a run that is under way serves for this call too. */
  async run(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    this.#observing ??= outside
      .runInAsyncScope(() => this.#observe())
      .finally(() => {
        this.#observing = undefined;
        this.#schedule();
      });
    await this.#observing;
  }

  /** Aborts a run that is under way; what is known stays, and gets stale. */
  close(): void {
    this.#timer?.cancel();
    this.#closing.abort();
  }

  /** Why the check fails; undefined where it does not. */
  #failure(): string | undefined {
    if (this.#known === undefined) return 'not checked yet';
    const { clock, staleAfterMs } = this.#options;
    if (clock.monotonicMs() - this.#known.monotonicMs > staleAfterMs) return 'stale';
    return this.#known.standing.down ? 'failing' : undefined;
  }

  #wellness(): Pick<CheckReport, 'status' | 'reason'> {
    const standing = this.#known?.standing;
    const status = standing === undefined ? 'fail' : statusOf(standing);
    if (status === 'pass') return { status, reason: undefined };
    const reason =
      standing?.last === 'fail' ? `failed ${standing.against} of ${this.#options.failureThreshold} times` : 'degraded';
    return { status, reason };
  }

  #hasFallback(): boolean {
    try {
      return this.#spec.hasFallback?.() === true;
    } catch {
      return false;
    }
  }

  async #observe(): Promise<void> {
    const { timeoutMs, clock } = this.#options;
    const { name, critical = true } = this.#spec;
    await operate('health.check', { check: name, critical }, async (operation) => {
      let result: HealthResult;
      try {
        const said = await withTimeout(timeoutMs, ({ signal }) => this.#once(signal), {
          operation: 'health.check',
          parent: this.#closing.signal,
          clock,
        });
        // Read here, where what throws is a failure of the check.
        result = { ...said };
        if (result.status === 'fail') operation.settle('error');
      } catch (error) {
        result = { status: 'fail', detail: textOf(error) };
        operation.settle(verdictOf(error).outcome, error);
      }
      operation.set({ status: result.status });
      this.#keep(result);
    });
  }

  // A check that ignores its signal is not started a second time beside itself: the next run waits for the same one.
  #once(signal: AbortSignal): Promise<HealthResult> {
    this.#running ??= this.#start(signal);
    return this.#running;
  }

  async #start(signal: AbortSignal): Promise<HealthResult> {
    try {
      return (await this.#spec.check(signal)) ?? { status: 'pass' };
    } finally {
      this.#running = undefined;
    }
  }

  #keep({ status, detail }: HealthResult): void {
    if (this.#closing.signal.aborted) return;
    const { clock, onResult } = this.#options;
    this.#known = {
      standing: nextStanding(this.#known?.standing, status, this.#options),
      detail: detail === undefined ? undefined : withoutSecrets(textOf(detail)),
      atMs: clock.now(),
      monotonicMs: clock.monotonicMs(),
    };
    onResult();
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    const { intervalMs, random, clock } = this.#options;
    this.#timer?.cancel();
    const delayMs = intervalMs * (0.9 + 0.2 * random());
    this.#timer = outside.runInAsyncScope(() => clock.setTimer(() => void this.run(), delayMs));
  }
}
