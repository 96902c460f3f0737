import { type BreakerPermit, emit } from '@sage-adk/core';
import { CircuitState, type IDefaultPolicyContext, type IPolicy } from 'cockatiel';
import { errors } from '../errors.ts';
import { PolicyEvents } from '../policy/policy-events.ts';
import { RollingWindow } from '../time/rolling-window.ts';
import { HealthProbe } from './health-probe.ts';
import { type BreakerOptions, type BreakerSettings, toSettings } from './options.ts';
import { Permit } from './permit.ts';
import { type BreakerEvent, type BreakerState, transition } from './state.ts';

/** Stops calls to a dependency that fails, and lets them come back slowly. Fits cockatiel's `wrap` as one of its policies. */
export interface CircuitBreaker extends IPolicy, AsyncDisposable {
  readonly dependency: string;
  readonly state: BreakerState['name'];
  /** A permit for one call, or undefined while the dependency rests. Every permit must be told how the call ended. */
  tryAcquire(): BreakerPermit | undefined;
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

export interface BreakerSnapshot {
  readonly dependency: string;
  readonly state: BreakerState;
  /** Of the window; slow ones are successes as well. */
  readonly successes: number;
  readonly failures: number;
  readonly slow: number;
  /** Calls of the recovery that are under way. */
  readonly probing: number;
  /** Since the start. */
  readonly rejected: number;
  /** Milliseconds until a try may be let through; 0 where one may now, undefined where it depends on others. */
  readonly retryAfterMs: number | undefined;
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

const success = 0;
const failure = 1;
const slow = 2;
// Answers of one kind differ by less than this while nobody waits.
const strainedBy = 3;
const neverAborts = new AbortController().signal;

class WindowedBreaker extends PolicyEvents implements CircuitBreaker {
  readonly dependency: string;
  readonly #settings: BreakerSettings;
  readonly #window: RollingWindow;
  readonly #probe: HealthProbe | undefined;
  /** Permits of this recovery, the oldest first. */
  readonly #probing: Set<Permit> = new Set();
  #state: BreakerState = { name: 'closed' };
  /** Counts the changes of state. */
  #generation = 0;
  #rejected = 0;
  /** The fastest answer of this recovery. */
  #fastestMs = Number.POSITIVE_INFINITY;

  constructor(dependency: string, settings: BreakerSettings) {
    super();
    this.dependency = dependency;
    this.#settings = settings;
    this.#window = new RollingWindow(3, settings.windowMs, 10);
    const { health, clock } = settings;
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

  tryAcquire(): BreakerPermit | undefined {
    if (this.#state.name === 'closed' || this.#state.name === 'disabled') return this.#permit(0);
    const nowMs = this.#settings.clock.monotonicMs();
    if (this.#state.name === 'open' && nowMs >= this.#state.untilMs) this.#apply({ type: 'probe', nowMs }, 'rested');
    this.#expire(nowMs);
    const state = this.#state;
    if (state.name !== 'recovering') return this.#reject();
    const free = Math.floor(state.window) - this.#probing.size;
    if (free <= 1) this.#apply({ type: 'bound', nowMs }, '');
    if (free <= 0) return this.#reject();
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
    this.#window.clear();
    this.#apply({ type: 'reset' }, 'reset');
  }

  snapshot(): BreakerSnapshot {
    const nowMs = this.#settings.clock.monotonicMs();
    return {
      dependency: this.dependency,
      state: this.#state,
      successes: this.#window.total(success, nowMs),
      failures: this.#window.total(failure, nowMs),
      slow: this.#window.total(slow, nowMs),
      probing: this.#probing.size,
      rejected: this.#rejected,
      retryAfterMs: this.#retryAfterMs(nowMs),
    };
  }

  close(): void {
    this.#probe?.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  async #run<T>(call: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal: AbortSignal): Promise<T> {
    const permit = this.tryAcquire();
    if (permit === undefined)
      throw errors.BREAKER_OPEN(
        { dependency: this.dependency, state: this.state },
        { retryAfterMs: this.#retryAfterMs(this.#settings.clock.monotonicMs()) },
      );
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

  #permit(round: number): Permit {
    return new Permit(this.#settings.clock.monotonicMs(), this.#generation, round, this.#settled);
  }

  #reject(): undefined {
    this.#rejected++;
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
    this.#window.add(word === 'success' ? success : failure, nowMs);
    if (word === 'success' && isSlow) this.#window.add(slow, nowMs);
    const reason = this.#tripReason(word, isSlow, nowMs);
    if (reason !== undefined) this.#apply({ type: 'trip', nowMs, spread: this.#settings.random() }, reason);
  };

  /** A queue grows at the other side: an answer took far longer than the fastest of this recovery. */
  #isStrained(tookMs: number): boolean {
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    return tookMs > strainedBy * this.#fastestMs;
  }

  #tripReason(word: 'success' | 'failure', isSlow: boolean, nowMs: number): string | undefined {
    const { tripWhen, minCalls, failureRatio, slowRatio } = this.#settings;
    if (tripWhen !== undefined) {
      if (word === 'success') tripWhen.success(CircuitState.Closed);
      return word === 'failure' && tripWhen.failure(CircuitState.Closed) ? 'failures' : undefined;
    }
    if (word === 'success' && !isSlow) return undefined;
    const failures = this.#window.total(failure, nowMs);
    const calls = failures + this.#window.total(success, nowMs);
    if (calls < minCalls) return undefined;
    if (failures >= failureRatio * calls) return 'failures';
    return isSlow && this.#window.total(slow, nowMs) >= slowRatio * calls ? 'slow calls' : undefined;
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
    if (from.name === to.name) return to;
    this.#generation++;
    this.#fastestMs = Number.POSITIVE_INFINITY;
    this.#probing.clear();
    // What led to an opening must not lead to the next.
    this.#window.clear();
    if (to.name === 'open') this.#probe?.start();
    else if (to.name !== 'recovering') this.#probe?.stop();
    emit('breaker.changed', { dependency: this.dependency, from: from.name, to: to.name, reason });
    return to;
  }
}
