import { type BreakerPermit, emit } from '@sage-adk/core';
import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { errors } from '../errors.ts';
import { PolicyEvents } from '../policy/policy-events.ts';
import { CallWindow } from './call-window.ts';
import { HealthProbe } from './health-probe.ts';
import { type BreakerOptions, type BreakerSettings, toSettings } from './options.ts';
import { Permit } from './permit.ts';
import type { BreakerSnapshot } from './snapshot.ts';
import { type BreakerEvent, type BreakerState, transition } from './state.ts';
import { type PermitWait, WaitingLine } from './waiting-line.ts';

/** Stops calls to a dependency that fails, and lets them come back slowly. Fits cockatiel's `wrap` as one of its policies. */
export interface CircuitBreaker extends IPolicy, AsyncDisposable {
  readonly dependency: string;
  readonly state: BreakerState['name'];
  /**
   * A permit for one call, or undefined while the dependency rests. Every permit must be told how the call ended.
   *
   * @param nowMs the clock's monotonic time, where the caller has just read it
   */
  tryAcquire(nowMs?: number): BreakerPermit | undefined;
  /**
   * Waits for a permit in the order of arrival. Throws `SAGE_RECOVERY_BREAKER_OPEN` when the wait is over, at once while it is forced open, and where
   * an answer could not come before the deadline.
   */
  acquire(wait: PermitWait): Promise<BreakerPermit>;
  /** Calls with a permit, or throws `SAGE_RECOVERY_BREAKER_OPEN` (denied, 503). */
  execute<T>(call: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
  /** Keeps it open until disposed; then calls come back as in any recovery. */
  forceOpen(reason: string): Disposable;
  /** Lets everything through and counts nothing, until `reset`. */
  disable(): void;
  /** Closes it and forgets what was counted. */
  reset(): void;
  snapshot(): BreakerSnapshot;
  /** Stops the health check. */
  close(): void;
}

/**
 * Makes a breaker for one dependency; {@link createCircuitBreakers} makes one for each.
 *
 * Opens by the share of failures or slow calls within a time window; rests, longer each time; recovers by a window of concurrent calls. What was
 * called before a change of state says nothing after it. Changes are `breaker.changed` events.
 *
 * @param dependency the name in observers; one of few
 */
export function createCircuitBreaker(dependency: string, options: BreakerOptions = {}): CircuitBreaker {
  return new WindowedBreaker(dependency, toSettings(options));
}

// Answers of one kind differ by less than this while nobody waits.
const strainedBy = 2.5;
// Of answers at present: most come within this many times their mean.
const answerSpread = 1.5;
const neverAborts = new AbortController().signal;

class WindowedBreaker extends PolicyEvents implements CircuitBreaker {
  readonly dependency: string;
  readonly #settings: BreakerSettings;
  readonly #window: CallWindow;
  readonly #probe: HealthProbe | undefined;
  /** Permits of this recovery, the oldest first. */
  readonly #probing: Set<Permit> = new Set();
  #state: BreakerState = { name: 'closed' };
  /** What observers were told last: a try that fails at once is no change to them, an outage is one opening. */
  #told: BreakerState['name'] = 'closed';
  /** Counts the changes of state. */
  #generation = 0;
  #rejected = 0;
  /** The fastest answer of this recovery. */
  #fastestMs = Number.POSITIVE_INFINITY;
  /** The mean of its latest answers. */
  #answerMs = 0;
  readonly #line: WaitingLine;

  constructor(dependency: string, settings: BreakerSettings) {
    super();
    this.dependency = dependency;
    this.#settings = settings;
    this.#window = new CallWindow(settings);
    const { health, clock } = settings;
    this.#line = new WaitingLine(
      {
        take: () => this.#take(),
        nextMs: () => this.#nextMs(clock.monotonicMs()),
        answerMs: () => answerSpread * this.#answerMs,
        refusal: () => this.#refusal(),
      },
      clock,
    );
    this.#probe =
      health &&
      new HealthProbe(dependency, health, clock, {
        onWell: () => this.#apply({ type: 'probe', nowMs: clock.monotonicMs() }, 'health'),
        onStillWell: () => this.#apply({ type: 'success', nowMs: clock.monotonicMs(), slow: false }, 'recovered'),
      });
  }

  get state(): BreakerState['name'] {
    return this.#state.name;
  }

  tryAcquire(nowMs?: number): BreakerPermit | undefined {
    if (this.#state.name === 'closed' || this.#state.name === 'disabled') return this.#permit(0, nowMs);
    const permit = this.#take();
    if (permit === undefined) this.#rejected++;
    return permit;
  }

  acquire(wait: PermitWait): Promise<BreakerPermit> {
    const permit = this.#line.size === 0 ? this.#take() : undefined;
    if (permit !== undefined) return Promise.resolve(permit);
    return this.#state.name === 'forced-open' ? Promise.reject(this.#refusal()) : this.#line.join(wait);
  }

  #take(): BreakerPermit | undefined {
    if (this.#state.name === 'closed' || this.#state.name === 'disabled') return this.#permit(0);
    const nowMs = this.#settings.clock.monotonicMs();
    if (this.#state.name === 'open' && nowMs >= this.#state.untilMs) this.#apply({ type: 'probe', nowMs }, 'rested');
    this.#expire(nowMs);
    const state = this.#state;
    if (state.name !== 'recovering') return undefined;
    const free = Math.floor(state.window) - this.#probing.size;
    if (free <= 1) this.#apply({ type: 'bound', nowMs }, '');
    if (free <= 0) return undefined;
    const permit = this.#permit(state.round);
    this.#probing.add(permit);
    return permit;
  }

  execute<T>(call: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal = neverAborts): Promise<T> {
    if (!this.watched) return this.#run(call, signal);
    return this.tell(
      () => this.#run(call, signal),
      (error) => this.#counts(error),
    );
  }

  forceOpen(reason: string): Disposable {
    const forced = this.#apply({ type: 'force-open', reason }, reason);
    return {
      [Symbol.dispose]: () => {
        if (this.#state === forced)
          this.#apply({ type: 'probe', nowMs: this.#settings.clock.monotonicMs() }, 'released');
      },
    };
  }

  disable(): void {
    this.#apply({ type: 'disable' }, 'disabled');
  }

  reset(): void {
    if (this.#state.name === 'closed') this.#window.restart();
    this.#apply({ type: 'reset' }, 'reset');
  }

  snapshot(): BreakerSnapshot {
    const nowMs = this.#settings.clock.monotonicMs();
    return {
      dependency: this.dependency,
      state: this.#state,
      ...this.#window.counts(nowMs),
      probing: this.#probing.size,
      waiting: this.#line.size,
      rejected: this.#rejected,
      retryAfterMs: this.#retryAfterMs(nowMs),
    };
  }

  close(): void {
    this.#probe?.close();
    this.#line.dismiss();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  async #run<T>(call: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal: AbortSignal): Promise<T> {
    const permit = this.tryAcquire();
    if (permit === undefined) throw this.#error();
    try {
      const value = await call({ signal });
      permit.succeed();
      return value;
    } catch (error) {
      if (signal.aborted && error === signal.reason) permit.release();
      else permit.fail(error);
      throw error;
    }
  }

  #permit(round: number, nowMs: number = this.#settings.clock.monotonicMs()): Permit {
    return new Permit(nowMs, this.#generation, round, this.#settled);
  }

  #refusal(): Error {
    this.#rejected++;
    return this.#error();
  }

  #error(): Error {
    const retryAfterMs = this.#retryAfterMs(this.#settings.clock.monotonicMs());
    return errors.BREAKER_OPEN({ dependency: this.dependency, state: this.state }, { retryAfterMs });
  }

  /** Until something happens that nobody tells: a rest ends, or a call of the recovery has hung for too long. */
  #nextMs(nowMs: number): number | undefined {
    if (this.#state.name === 'open') return this.#state.untilMs - nowMs;
    for (const { startedMs } of this.#probing) return startedMs + this.#settings.probeTimeoutMs - nowMs;
    return undefined;
  }

  #retryAfterMs(nowMs: number): number | undefined {
    const state = this.#state;
    if (state.name === 'open') return Math.max(0, Math.ceil(state.untilMs - nowMs));
    return state.name === 'closed' || state.name === 'disabled' ? 0 : undefined;
  }

  #counts(error: unknown): boolean {
    const { classifier, isFailure } = this.#settings;
    return isFailure(classifier.classify(error), error);
  }

  /** What a permit was told. A result of an earlier state is not heard; one that says nothing of the dependency only gives its place back. */
  readonly #settled = (permit: Permit, word: 'success' | 'failure' | 'nothing', error: unknown): void => {
    this.#probing.delete(permit);
    this.#hear(permit, word, error);
    if (this.#line.size > 0) this.#line.serve();
  };

  #hear(permit: Permit, word: 'success' | 'failure' | 'nothing', error: unknown): void {
    if (permit.generation !== this.#generation || word === 'nothing' || this.#state.name === 'disabled') return;
    if (word === 'failure' && !this.#counts(error)) return;
    const nowMs = this.#settings.clock.monotonicMs();
    const isSlow = nowMs - permit.startedMs >= this.#settings.slowMs;
    if (this.#state.name !== 'closed') {
      if (word === 'failure')
        this.#apply({ type: 'failure', nowMs, round: permit.round, spread: this.#settings.random() }, 'failures');
      else
        this.#apply(
          { type: 'success', nowMs, slow: isSlow || this.#isStrained(nowMs - permit.startedMs) },
          'recovered',
        );
      return;
    }
    const reason = this.#window.add(word === 'success', isSlow, nowMs);
    if (reason !== undefined) this.#apply({ type: 'trip', nowMs, spread: this.#settings.random() }, reason);
  }

  /** A queue grows at the other side: an answer took far longer than the fastest of this recovery. */
  #isStrained(tookMs: number): boolean {
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    this.#answerMs += (tookMs - this.#answerMs) / 5;
    return tookMs > strainedBy * this.#fastestMs;
  }

  /** Calls of the recovery that hang count as failed, and hold their places no longer. */
  #expire(nowMs: number): void {
    for (const permit of this.#probing) {
      if (nowMs - permit.startedMs < this.#settings.probeTimeoutMs) return;
      this.#probing.delete(permit);
      if (!permit.expire()) continue;
      const { round } = permit;
      this.#apply({ type: 'failure', nowMs, round, spread: this.#settings.random() }, 'probe timeout');
    }
  }

  #apply(event: BreakerEvent, reason: string): BreakerState {
    const from = this.#state;
    const to = transition(from, event, this.#settings);
    this.#state = to;
    if (event.type === 'success' || (from.name !== to.name && reason !== 'rested')) this.#tellChange(to.name, reason);
    if (from.name === to.name) return to;
    this.#generation++;
    this.#fastestMs = Number.POSITIVE_INFINITY;
    this.#answerMs = 0;
    this.#probing.clear();
    // What led to an opening must not lead to the next.
    if (to.name === 'closed') this.#window.restart();
    else this.#window.clear();
    if (to.name === 'open') this.#probe?.start();
    else if (to.name !== 'recovering') this.#probe?.stop();
    if (to.name === 'forced-open') this.#line.dismiss();
    else if (this.#line.size > 0) queueMicrotask(() => this.#line.serve());
    return to;
  }

  #tellChange(to: BreakerState['name'], reason: string): void {
    const from = this.#told;
    if (from === to) return;
    this.#told = to;
    emit('breaker.changed', { dependency: this.dependency, from, to, reason });
  }
}
