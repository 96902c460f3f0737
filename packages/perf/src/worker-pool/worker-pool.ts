import {
  type Clock,
  current,
  operate,
  requireNumber,
  requireWhole,
  type SageError,
  source,
  systemClock,
  type Timer,
} from '@sage-adk/core';
import { createFairQueue, type FairQueue, type Priority, type Ticket } from '@sage-adk/core/queue';
import { errors } from '../errors.ts';
import { DrainRate } from './drain-rate.ts';

export interface WorkerPoolOptions {
  /** Names the pool in operations, counters and errors. @default 'messages' */
  readonly name?: string;
  /** Tasks that run at once. @default 64 */
  readonly concurrency?: number;
  /** Tasks that may wait; one more is refused with `SAGE_PERF_QUEUE_FULL`. @default 1024 */
  readonly queueSize?: number;
  /** Tasks of one tenant that may wait. @default queueSize */
  readonly queueSizePerTenant?: number;
  /** Share of each tenant while others wait too, from 0.001 to 1,000,000; 1 for those not named. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly clock?: Clock;
}

export interface TaskOptions {
  /** @default the context's tenant, else its user */
  readonly tenant?: string;
  /** 0 is the most urgent. A waiting task gains a level as it ages. @default 1 */
  readonly priority?: Priority;
  /** Takes the task out of the queue; a task that runs must heed the signal itself. @default the context's */
  readonly signal?: AbortSignal;
}

/** Bounds how much runs at once and how much waits, and is fair to tenants while it does. */
export interface WorkerPool extends AsyncDisposable {
  /**
   * Runs `task` now or when its turn comes, in the context of this call. What it returns or throws is the caller's.
   *
   * Rejects without running it: `SAGE_PERF_QUEUE_FULL` and `SAGE_PERF_TENANT_QUEUE_FULL` (with `retryAfterMs` from the rate at which tasks finish),
   * `SAGE_PERF_QUEUE_TIMEOUT` where the context's deadline passed while it waited, the signal's reason, `SAGE_PERF_POOL_CLOSED`.
   */
  run<T>(task: () => Promise<T>, options?: TaskOptions): Promise<T>;
  stats(): WorkerPoolStats;
  /** Takes no more tasks, and resolves when those that run or wait are done. */
  close(): Promise<void>;
}

export interface WorkerPoolStats {
  readonly running: number;
  readonly waiting: number;
  readonly completed: number;
  readonly refused: number;
}

export function createWorkerPool({
  name = 'messages',
  concurrency = 64,
  queueSize = 1024,
  queueSizePerTenant = queueSize,
  weights = {},
  clock = systemClock,
}: WorkerPoolOptions = {}): WorkerPool {
  requireWhole('concurrency', concurrency, 1);
  requireWhole('queueSize', queueSize, 0);
  requireWhole('queueSizePerTenant', queueSizePerTenant, 0);
  for (const [tenant, weight] of Object.entries(weights)) requireNumber(`weights of ${tenant}`, weight, 0.001, 1e6);
  return new Pool({ name, concurrency, queueSize, queueSizePerTenant, weights, clock });
}

/** A task that waits for its turn. */
interface Waiter {
  /** Its turn has come. */
  readonly start: () => void;
  readonly refuse: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

class Pool implements WorkerPool {
  readonly #options: Required<WorkerPoolOptions>;
  readonly #queue: FairQueue<Waiter>;
  readonly #rate = new DrainRate();
  readonly #counters: Disposable;
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #completed = 0;
  #refused = 0;
  #closed = false;

  constructor(options: Required<WorkerPoolOptions>) {
    const { name, queueSize, queueSizePerTenant, weights, clock } = options;
    this.#options = options;
    // Names of tenants come from outside; one may be `constructor`.
    const shares = new Map(Object.entries(weights));
    this.#queue = createFairQueue<Waiter>({
      maxSize: Math.max(1, queueSize),
      maxPerTenant: Math.max(1, queueSizePerTenant),
      weightOf: (tenant) => shares.get(tenant) ?? 1,
      onDropped: (waiter, reason) =>
        waiter.refuse(reason === 'expired' ? errors.QUEUE_TIMEOUT({ pool: name }) : waiter.signal?.reason),
      clock,
    });
    this.#counters = source(`pool.${name}`, () => ({ ...this.stats() }));
  }

  async run<T>(
    task: () => Promise<T>,
    { tenant = tenantOfContext(), priority = 1, signal = current()?.signal }: TaskOptions = {},
  ): Promise<T> {
    const { name, concurrency, clock } = this.#options;
    signal?.throwIfAborted();
    if (this.#closed) throw this.#refusal(errors.POOL_CLOSED({ pool: name }));
    if (this.#running < concurrency) this.#running++;
    else await this.#turn(tenant, priority, signal);
    const startedMs = clock.monotonicMs();
    try {
      return await task();
    } finally {
      this.#rate.add(clock.monotonicMs() - startedMs);
      this.#completed++;
      this.#handOver();
    }
  }

  stats(): WorkerPoolStats {
    return { running: this.#running, waiting: this.#queue.size, completed: this.#completed, refused: this.#refused };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#counters[Symbol.dispose]();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when a slot is this task's; the slot is handed over by the task that ends. */
  #turn(tenant: string, priority: Priority, signal: AbortSignal | undefined): Promise<void> {
    return operate('queue.wait', { queue: this.#options.name }, async (operation) => {
      operation.set({ depth: this.#queue.size, priority });
      let timer: Timer | undefined;
      try {
        await new Promise<void>((start, refuse) => {
          const ticket = this.#push({ start, refuse, signal }, tenant, priority);
          const deadlineMs = current()?.deadlineMs;
          // The queue drops what expired when it is next used; a pool that hangs is not used.
          if (deadlineMs !== undefined) timer = this.#expiry(ticket, refuse, deadlineMs);
        });
      } finally {
        timer?.cancel();
      }
    });
  }

  #push(waiter: Waiter, tenant: string, priority: Priority): Ticket {
    const { name, queueSize, queueSizePerTenant } = this.#options;
    const deadlineMs = current()?.deadlineMs;
    if (Math.min(queueSize, queueSizePerTenant) === 0) throw this.#full('queue-full', this.#queue.size);
    const answer = this.#queue.push(waiter, {
      tenant,
      priority,
      signal: waiter.signal,
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    if (answer.accepted) return answer;
    if (answer.reason === 'cancelled') throw waiter.signal?.reason;
    throw 'limit' in answer ? this.#full(answer.reason, answer.limit) : errors.QUEUE_TIMEOUT({ pool: name });
  }

  #expiry(ticket: Ticket, refuse: (error: unknown) => void, deadlineMs: number): Timer {
    const { name, clock } = this.#options;
    return clock.setTimer(
      () => {
        refuse(errors.QUEUE_TIMEOUT({ pool: name }));
        ticket.cancel();
      },
      Math.max(0, deadlineMs - clock.monotonicMs()),
    );
  }

  #full(reason: 'queue-full' | 'tenant-full', waiting: number): SageError {
    const { name, concurrency } = this.#options;
    const retryAfterMs = this.#rate.untilDrainedMs(this.#queue.size, concurrency);
    const make = reason === 'queue-full' ? errors.QUEUE_FULL : errors.TENANT_QUEUE_FULL;
    return this.#refusal(make({ pool: name, waiting, retryAfter: Math.ceil(retryAfterMs / 1_000) }, { retryAfterMs }));
  }

  #refusal(error: SageError): SageError {
    this.#refused++;
    return error;
  }

  #handOver(): void {
    const next = this.#queue.shift();
    if (next !== undefined) return next.start();
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function tenantOfContext(): string {
  const context = current();
  return context?.tenant ?? context?.userId ?? '';
}
