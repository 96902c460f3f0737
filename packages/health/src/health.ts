import {
  type Clock,
  emit,
  type HealthCheck,
  type Random,
  requireNumber,
  source,
  systemClock,
  systemRandom,
} from '@sage-adk/core';
import { WatchedCheck, type WatchOptions } from './checks/watched-check.ts';
import { errors } from './errors.ts';
import { type Lifecycle, readinessVerdict, startupVerdict, type Verdict } from './verdict.ts';

export interface HealthOptions {
  readonly checks?: readonly HealthCheck[];
  /** Milliseconds between the runs of a check, from 100. @default 10_000 */
  readonly intervalMs?: number;
  /** Milliseconds a check may take before it counts as failed, from 10. @default 2_000 */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Whether an agent lives, has started and can serve. Every answer comes from what is known already: a probe does no I/O and never waits.
 *
 * Checks run in the background, each at most once at a time. Each run is a `health.check` operation.
 */
export interface Health extends AsyncDisposable {
  /** Passes while the process can answer at all. Knows of no check: a dependency that is down is no reason for a restart. */
  live(): Verdict;
  /** Passes from {@link markStarted} on. */
  startup(): Verdict;
  /** Passes where the agent has started, does not drain, and no critical check fails. */
  ready(): Verdict;
  /** Initialisation is complete. */
  markStarted(): void;
  /** The agent takes no more requests; from now on it is not ready. */
  setDraining(reason?: string): void;
  /** Adds a check and runs it. Disposing takes it away. Throws `SAGE_HEALTH_DUPLICATE_CHECK` or `SAGE_HEALTH_CLOSED`. */
  register(check: HealthCheck): Disposable;
  /** Runs every check now and resolves when each has its result or has timed out. */
  refresh(): Promise<void>;
  /** Stops the checks and aborts those that run. The verdicts stay as they are. */
  close(): Promise<void>;
}

export function createHealth({
  checks = [],
  intervalMs = 10_000,
  timeoutMs = 2_000,
  clock = systemClock,
  random = systemRandom,
}: HealthOptions = {}): Health {
  requireNumber('intervalMs', intervalMs, 100);
  requireNumber('timeoutMs', timeoutMs, 10);
  const health = new WatchedHealth({ intervalMs, timeoutMs, clock, random });
  for (const check of checks) health.register(check);
  return health;
}

class WatchedHealth implements Health {
  readonly #options: WatchOptions;
  readonly #checks = new Map<string, WatchedCheck>();
  readonly #counters: Disposable;
  #lifecycle: Lifecycle = { started: false, draining: undefined };
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#counters = source('health', () => ({
      up: 1,
      started: Number(this.#lifecycle.started),
      ready: Number(this.ready().status !== 'fail'),
    }));
  }

  live(): Verdict {
    return { status: 'pass', checks: [] };
  }

  startup(): Verdict {
    return startupVerdict(this.#lifecycle);
  }

  ready(): Verdict {
    return readinessVerdict(
      this.#lifecycle,
      [...this.#checks.values()].map(({ report }) => report),
    );
  }

  markStarted(): void {
    if (!this.#lifecycle.started) emit('agent.state', { from: 'starting', to: 'started' });
    this.#lifecycle = { ...this.#lifecycle, started: true };
  }

  setDraining(reason = 'draining'): void {
    const { started, draining } = this.#lifecycle;
    if (draining === undefined) emit('agent.state', { from: started ? 'started' : 'starting', to: 'draining' });
    this.#lifecycle = { started, draining: reason };
  }

  register(check: HealthCheck): Disposable {
    const { name } = check;
    if (this.#closed) throw errors.CLOSED();
    if (this.#checks.has(name)) throw errors.DUPLICATE_CHECK({ name });
    const watched = new WatchedCheck(check, this.#options);
    this.#checks.set(name, watched);
    return {
      [Symbol.dispose]: () => {
        watched.close();
        if (this.#checks.get(name) === watched) this.#checks.delete(name);
      },
    };
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#checks.values()].map((watched) => watched.run()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#counters[Symbol.dispose]();
    for (const watched of this.#checks.values()) watched.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
