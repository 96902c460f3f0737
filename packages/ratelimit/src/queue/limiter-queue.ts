/**
 * Calls that wait until their limits have room, in a fair order.
 *
 * A call waits for the limit that denied it, with all others that wait for the same limit of the same key. There, tenants get their shares by weight, the
 * users of a tenant theirs, and a user's calls go by priority, which grows with age. So who asks for too much waits for themselves, and one user's own
 * limit never holds up another.
 */
import {
  type Clock,
  type LimitCosts,
  type LimitSubject,
  operate,
  requireNumber,
  requireWhole,
  source,
  systemClock,
} from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import type { Priority } from '@sage-adk/core/queue';
import { errors } from '../errors.ts';
import type { Limit, RateLimiter, Released, ReserveOptions } from '../limiter.ts';
import { tellDenied } from '../reporter.ts';
import { type Denied, type Reservation, runWithin, type Used } from '../reservation.ts';
import { Crowd } from './crowd.ts';
import { FairLine } from './fair-line.ts';
import { Gate, type Gates, nameOf, type Place } from './gate.ts';
import { type Call, type Outcome, type Waiting, whose } from './waiting.ts';

/** Options of {@link createLimiterQueue}. */
export interface LimiterQueueOptions {
  readonly limiter: RateLimiter;
  /** Most calls that wait. When they do, one of who has the most of them makes room for one of who has fewer. @default 1024 */
  readonly maxSize?: number;
  /** Most calls of one user that wait, so that nobody fills the queue. @default 64 */
  readonly maxPerUser?: number;
  /** Share of a tenant, from 0.001 to 1,000,000. @default 1 */
  readonly tenantWeight?: (tenant: string) => number;
  /** Share of a user within its tenant. @default 1 */
  readonly userWeight?: (user: string) => number;
  /** Milliseconds of waiting that count as one level of priority. @default 1_000 */
  readonly ageingMs?: number;
  /** While slots are waited for: how often to ask whether another process gave one back; for other units a tenth as often. @default 100 */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

/** How a call waits. */
export interface AcquireOptions extends Omit<ReserveOptions, 'quiet'> {
  /** How long to wait. Then the call is denied. @default 30_000 */
  readonly maxWaitMs?: number;
  /** 0 is the most urgent. @default 1 */
  readonly priority?: Priority;
}

/** Calls that wait for a limiter. */
export interface LimiterQueue extends AsyncDisposable {
  /**
   * Reserves, and waits for it where limits have no room now. Denied when the wait is over, when too many wait, and at once where waiting cannot help.
   * Rejects with the signal's reason when it aborts.
   */
  acquire(subject: LimitSubject, estimate?: LimitCosts, options?: AcquireOptions): Promise<Reservation | Denied>;
  /** Makes `call` within a reservation that it waits for; see `run` of the limiter. */
  run<T>(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    call: (reservation: Reservation) => Promise<Used<T>>,
    options?: AcquireOptions,
  ): Promise<T>;
  /** The limits of the limiter behind it. */
  readonly limitsOf: RateLimiter['limitsOf'];
  /** Calls that wait. */
  readonly size: number;
  /** Rejects all that wait with `SAGE_RATELIMIT_CLOSED`. The limiter stays open. */
  close(): Promise<void>;
}

/**
 * Makes a queue before a limiter. Each wait is an operation `queue.wait`; counters are the source `limiter.queue`.
 *
 * @example
 * ```ts
 * const queue = createLimiterQueue({ limiter });
 * const reservation = await queue.acquire({ user: 'ada' }, { inputTokens: 900, outputTokens: 500 }, { maxWaitMs: 10_000 });
 * ```
 */
export function createLimiterQueue(options: LimiterQueueOptions): LimiterQueue {
  return new GatedQueue(options);
}

class GatedQueue implements LimiterQueue, Gates {
  readonly clock: Clock;
  readonly pollMs: number;
  readonly limitsOf: RateLimiter['limitsOf'];
  readonly #limiter: RateLimiter;
  readonly #newLine: () => FairLine<Waiting>;
  readonly #gates = new Map<string, Gate>();
  readonly #crowd: Crowd;
  readonly #subscription: Disposable;
  readonly #counts = { admitted: 0, refused: 0, timedOut: 0, cancelled: 0 };
  readonly #source: Disposable;
  #releases = 0;
  #closed = false;

  constructor({
    limiter,
    maxSize = 1024,
    maxPerUser = 64,
    tenantWeight = () => 1,
    userWeight = () => 1,
    ageingMs = 1_000,
    pollMs = 100,
    clock = systemClock,
  }: LimiterQueueOptions) {
    this.#limiter = limiter;
    this.limitsOf = limiter.limitsOf.bind(limiter);
    this.#crowd = new Crowd({ maxSize, maxPerUser });
    requireNumber('ageingMs', ageingMs, 1);
    this.pollMs = requireNumber('pollMs', pollMs, 1);
    this.clock = clock;
    this.#newLine = () => new FairLine({ tenantWeight, userWeight, ageingMs, clock });
    this.#subscription = limiter.onRelease((released) => this.#wakeThose(released));
    this.#source = source('limiter.queue', () => ({
      ...this.#counts,
      waiting: this.#crowd.size,
      gates: this.#gates.size,
    }));
  }

  get size(): number {
    return this.#crowd.size;
  }

  async acquire(
    subject: LimitSubject,
    estimate?: LimitCosts,
    { maxWaitMs = 30_000, priority = 1, ...options }: AcquireOptions = {},
  ): Promise<Reservation | Denied> {
    if (this.#closed) throw errors.CLOSED();
    requireNumber('maxWaitMs', maxWaitMs, 0);
    requireWhole('priority', priority, 0, 3);
    options.signal?.throwIfAborted();
    const limits = this.#limiter.limitsOf(subject, estimate);
    const busy = limits.every(({ cost, burst }) => cost <= burst) ? this.#busyGate(limits) : undefined;
    const releases = this.#releases;
    const first = busy?.denied ?? (await this.#limiter.reserve(subject, estimate, { ...options, quiet: true }));
    if (first.allowed) return first;
    if (this.#closed) throw errors.CLOSED();
    options.signal?.throwIfAborted();
    const call = { subject, estimate, options, limits, priority, ...whose(subject, limits) };
    if (first.retryAfterMs === undefined || maxWaitMs === 0 || !this.#crowd.hasRoom(call)) return this.#refused(first);
    return operate('queue.wait', { queue: 'ratelimit' }, (operation) => {
      operation.set({ depth: this.#crowd.size, priority });
      const waiting = this.#wait(call, first, maxWaitMs);
      // What came back after the denial is told to nobody again.
      if (releases !== this.#releases) this.#wakeThose(first.decision.violated);
      return waiting;
    });
  }

  async run<T>(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    call: (reservation: Reservation) => Promise<Used<T>>,
    options?: AcquireOptions,
  ): Promise<T> {
    return runWithin(await this.acquire(subject, estimate, options), call);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription[Symbol.dispose]();
    this.#source[Symbol.dispose]();
    for (const gate of this.#gates.values()) {
      for (const entry of gate.line) this.end(entry, { name: 'failed', error: errors.CLOSED() });
      gate.stop();
    }
    this.#gates.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async reserve({ subject, estimate, options }: Waiting): Promise<Reservation | Denied> {
    if (this.#closed) throw errors.CLOSED();
    return this.#limiter.reserve(subject, estimate, { ...options, quiet: true });
  }

  nextGate({ limits, passed }: Waiting, from: Gate): Gate | undefined {
    return this.#busyGate(limits, (gate) => gate === from || passed.has(gate));
  }

  gateAt(place: Place): Gate {
    const known = this.#gates.get(nameOf(place));
    if (known !== undefined) return known;
    const gate = new Gate(place, this.#newLine(), this);
    this.#gates.set(gate.name, gate);
    return gate;
  }

  end(entry: Waiting, outcome: Outcome): void {
    entry.end(outcome);
  }

  vacate(gate: Gate): void {
    if (this.#gates.get(gate.name) === gate) this.#gates.delete(gate.name);
  }

  #wait(call: Call, denied: Denied, maxWaitMs: number): Promise<Reservation | Denied> {
    return new Promise((resolve, reject) => {
      const { signal } = call.options;
      const end = (outcome: Outcome): void => {
        if (!this.#leave(entry)) return;
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        if (outcome.name === 'admitted') {
          this.#counts.admitted++;
          resolve(outcome.reservation);
        } else if (outcome.name === 'refused') {
          resolve(this.#refused(outcome.denied));
        } else {
          reject(outcome.error);
        }
      };
      const abort = (): void => {
        this.#counts.cancelled++;
        end({ name: 'failed', error: signal?.reason });
      };
      const expire = (): void => {
        this.#counts.timedOut++;
        end({ name: 'refused', denied: entry.denied });
      };
      const entry: Waiting = { ...call, denied, gate: undefined, passed: new Set(), end };
      const timer = wheelOf(this.clock).schedule(expire, this.clock.monotonicMs() + maxWaitMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.#enter(entry);
    });
  }

  #enter(entry: Waiting): void {
    const [longest] = entry.denied.decision.violated;
    const busy = this.#busyGate(entry.limits);
    const gate = busy ?? this.gateAt(longest ?? { rule: entry.denied.rule, key: '' });
    this.#crowd.add(entry);
    entry.gate = gate;
    try {
      gate.push(entry, busy === undefined ? entry.denied : undefined);
    } catch (error) {
      // A weight that cannot be.
      entry.end({ name: 'failed', error });
    }
  }

  /** False where it left before. */
  #leave(entry: Waiting): boolean {
    const { gate, passed } = entry;
    if (gate === undefined) return false;
    entry.gate = undefined;
    this.#crowd.remove(entry);
    gate.leave(entry);
    for (const other of passed) other.leave(entry);
    return true;
  }

  #busyGate(limits: readonly Limit[], skip?: (gate: Gate) => boolean): Gate | undefined {
    if (this.#gates.size === 0) return undefined;
    for (const limit of limits) {
      const gate = this.#gates.get(nameOf(limit));
      if (gate?.isBusy === true && skip?.(gate) !== true) return gate;
    }
    return undefined;
  }

  #wakeThose(released: readonly Released[]): void {
    this.#releases++;
    for (const { rule, key } of released) {
      if (key !== undefined) this.#gates.get(nameOf({ rule, key }))?.wake();
      else for (const gate of this.#gates.values()) if (gate.rule === rule) gate.wake();
    }
  }

  #refused(denied: Denied): Denied {
    this.#counts.refused++;
    tellDenied(denied.decision);
    return denied;
  }
}
