import { type Clock, emit, type Random, source, systemClock, systemRandom } from '@sage-adk/core';
import { type CheckSpec, type Watching, watchingOf } from './checks/spec.ts';
import { WatchedCheck } from './checks/watched-check.ts';
import { textOf, withoutSecrets } from './detail.ts';
import { errors } from './errors.ts';
import { type Lifecycle, readinessVerdict, startupVerdict, type Verdict } from './verdict.ts';

/** How checks are watched that say nothing else themselves, and the checks. */
export interface HealthOptions extends Partial<Watching> {
  readonly checks?: readonly CheckSpec[];
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
  /** Adds a check and runs it. Disposing takes it away. Throws `SAGE_HEALTH_DUPLICATE_CHECK`, `SAGE_HEALTH_CLOSED` or what is wrong with an option. */
  register(check: CheckSpec): Disposable;
  /** Runs every check now and resolves when each has its result or has timed out. */
  refresh(): Promise<void>;
  /** Calls `listener` after each result, and whenever a verdict may have changed for another reason than time. What it throws is told by `error.critical`. */
  onChange(listener: () => void): Disposable;
  /** Stops the checks and aborts those that run. What is known of them gets stale. */
  close(): Promise<void>;
}

export function createHealth({
  checks = [],
  clock = systemClock,
  random = systemRandom,
  ...watching
}: HealthOptions = {}): Health {
  watchingOf({}, watching);
  const health = new WatchedHealth({ watching, clock, random });
  try {
    for (const check of checks) health.register(check);
  } catch (error) {
    // Nobody else has it to close.
    void health.close();
    throw error;
  }
  return health;
}

interface Settings {
  readonly watching: Partial<Watching>;
  readonly clock: Clock;
  readonly random: Random;
}

class WatchedHealth implements Health {
  readonly #settings: Settings;
  readonly #checks = new Map<string, WatchedCheck>();
  readonly #listeners = new Set<() => void>();
  readonly #counters: readonly Disposable[];
  #lifecycle: Lifecycle = { started: false, draining: undefined };
  #wasReady = false;
  #readinessChanges = 0;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    const probes = source('health.probes', () => ({
      live: 1,
      startup: Number(this.#lifecycle.started),
      ready: Number(this.#isReady()),
    }));
    const changes = source('health', () => ({ readiness_changes: this.#readinessChanges }));
    this.#counters = [probes, changes];
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
    this.#changed();
  }

  setDraining(reason = 'draining'): void {
    const { started, draining } = this.#lifecycle;
    this.#lifecycle = { started, draining: reason };
    this.#changed();
    if (draining === undefined) emit('agent.state', { from: started ? 'started' : 'starting', to: 'draining' });
  }

  register(check: CheckSpec): Disposable {
    const { name } = check;
    const { watching, clock, random } = this.#settings;
    if (this.#closed) throw errors.CLOSED();
    if (this.#checks.has(name)) throw errors.DUPLICATE_CHECK({ name });
    const onResult = (): void => this.#changed();
    const watched = new WatchedCheck(check, { ...watchingOf(check, watching), clock, random, onResult });
    this.#checks.set(name, watched);
    this.#changed();
    return {
      [Symbol.dispose]: () => {
        watched.close();
        if (this.#checks.get(name) === watched) this.#checks.delete(name);
        this.#changed();
      },
    };
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#checks.values()].map((watched) => watched.run()));
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const counters of this.#counters) counters[Symbol.dispose]();
    for (const watched of this.#checks.values()) watched.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isReady(): boolean {
    return this.ready().status !== 'fail';
  }

  #changed(): void {
    const isReady = this.#isReady();
    if (isReady !== this.#wasReady) this.#readinessChanges++;
    this.#wasReady = isReady;
    for (const listener of this.#listeners) tell(listener);
  }
}

/** One that throws must stop neither the checks nor the end of the process. */
function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    const message = withoutSecrets(`A listener of the health threw: ${textOf(error)}`);
    emit('error.critical', { source: 'health', reason: 'listener', message });
  }
}
