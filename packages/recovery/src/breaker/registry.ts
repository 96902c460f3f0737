import { type BreakerPermit, type BreakerPolicy, requireOption } from '@sage-adk/core';
import { offerCounters } from '../policy/counters.ts';
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.ts';
import { type BreakerOptions, toSettings } from './options.ts';
import type { BreakerSnapshot } from './snapshot.ts';

export interface CircuitBreakersOptions extends BreakerOptions {
  /** What differs for single dependencies. */
  readonly dependencies?: Readonly<Record<string, BreakerOptions>>;
}

/** A breaker per dependency. Fits the LLM boundary as core's BreakerPolicy. */
export interface CircuitBreakers extends BreakerPolicy, AsyncDisposable {
  /** @param dependency one of few names: each is kept */
  of(dependency: string): CircuitBreaker;
  tryAcquire(dependency: string): BreakerPermit | undefined;
  snapshot(): readonly BreakerSnapshot[];
  /** Stops health checks and takes the counters away. */
  close(): void;
}

/** How a state reads as a number: the more, the less gets through. */
const levels = { closed: 0, disabled: 0, recovering: 1, open: 2, 'forced-open': 3 } as const;

/**
 * Makes breakers for all dependencies of a process, each at its first use.
 *
 * Counters under `recovery.breaker`, per dependency: state (0 closed, 1 recovering, 2 open, 3 forced open), rejected, failures.
 *
 * @example
 * ```ts
 * const breakers = createCircuitBreakers({ failureRatio: 0.3, dependencies: { redis: { openMs: 100 } } });
 * const answer = await breakers.of('openai').execute(() => fetch(url));
 * ```
 */
export function createCircuitBreakers({ dependencies = {}, ...options }: CircuitBreakersOptions = {}): CircuitBreakers {
  requireOption('tripWhen', options.tripWhen, 'a function that makes one for each dependency', isPerDependency);
  for (const own of [{}, ...Object.values(dependencies)]) toSettings({ ...options, ...own });
  const breakers = new Map<string, CircuitBreaker>();
  const of = (dependency: string): CircuitBreaker => {
    let breaker = breakers.get(dependency);
    if (breaker === undefined) {
      const own = Object.hasOwn(dependencies, dependency) ? dependencies[dependency] : {};
      breakers.set(dependency, (breaker = createCircuitBreaker(dependency, { ...options, ...own })));
    }
    return breaker;
  };
  const snapshot = (): readonly BreakerSnapshot[] => [...breakers.values()].map((breaker) => breaker.snapshot());
  const counters = offerCounters('recovery.breaker', snapshot, ({ state, rejected, failures }) => ({
    state: levels[state.name],
    rejected,
    failures,
  }));
  const close = (): void => {
    counters[Symbol.dispose]();
    for (const breaker of breakers.values()) breaker.close();
  };
  return {
    of,
    tryAcquire: (dependency) => of(dependency).tryAcquire(),
    snapshot,
    close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

// What has seen the calls of one dependency must not decide about another.
function isPerDependency(tripWhen: BreakerOptions['tripWhen']): boolean {
  return tripWhen === undefined || typeof tripWhen === 'function';
}
