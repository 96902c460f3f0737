/**
 * Everything around the calls of one dependency, in one order. From the outside in:
 *
 * 1. the deadline of the whole call,
 * 2. retry, each of the rest once per try, paid from the budget,
 * 3. bulkhead: a place, held only while a try runs and never during a backoff; by a stream until it is closed,
 * 4. breaker: asked when the try is about to start, so that it never decides on old news,
 * 5. the timeout of the try.
 */
import { AsyncResource } from 'node:async_hooks';
import {
  type BreakerPermit,
  type Clock,
  current,
  optionErrors,
  type Random,
  requireNumber,
  systemClock,
  systemRandom,
} from '@sage-adk/core';
import { createDeadline, type Deadline, withTimeout } from '@sage-adk/core/deadline';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { BreakerOptions } from '../breaker/options.ts';
import { createCircuitBreakers } from '../breaker/registry.ts';
import { type Bulkhead, type BulkheadOptions, createBulkhead } from '../bulkhead/bulkhead.ts';
import { errors } from '../errors.ts';
import { late } from '../policy/late.ts';
import { requireOneOf } from '../policy/one-of.ts';
import { createRetryBudgets } from '../retry/budget.ts';
import { createRetry, type Retry, type RetryOptions } from '../retry/retry.ts';
import { Call, type CallContext, Try } from './call-context.ts';
import { patienceUntil } from './patience.ts';
import { guardStream, openSource, openWithin, type Source } from './stream.ts';

export interface DependencyOptions {
  /** Of one try; of a stream until its first chunk. @default Infinity */
  readonly timeoutMs?: number;
  /**
   * `cooperative` aborts the signal of the try, and a call that doesn't read it costs no timer; `strict` also stops to wait for a call that ignores it.
   * @default 'cooperative'
   */
  readonly timeoutMode?: 'cooperative' | 'strict';
  /** Of the whole call, all tries and waits. The context's counts too. @default Infinity */
  readonly deadlineMs?: number;
  /** False tries once. */
  readonly retry?: RetryOptions | false;
  /** Options make a breaker of its own; one from `createCircuitBreakers().of(name)` is shared. */
  readonly breaker?: BreakerOptions | CircuitBreaker | false;
  /** How long a try waits for the breaker's permit before it is refused. Wait where there is no fallback. @default 0 */
  readonly permitWaitMs?: number;
  /** False bounds nothing. @default 1,024 tries at once, and as many that wait */
  readonly bulkhead?: BulkheadOptions | Bulkhead | false;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface CallOptions {
  /** @default the context's signal */
  readonly signal?: AbortSignal;
  /** Of this call; the earliest deadline counts. */
  readonly deadlineMs?: number;
  /** @default a new one for each call, the same for its tries */
  readonly idempotencyKey?: string;
}

/** A dependency whose calls are protected. */
export interface Dependency extends AsyncDisposable {
  readonly name: string;
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  execute<T>(call: (context: CallContext) => PromiseLike<T> | T, options?: CallOptions): Promise<T>;
  /** Tries again only until the first chunk came; what fails later is the reader's. */
  stream<T>(call: (context: CallContext) => AsyncIterable<T>, options?: CallOptions): AsyncIterable<T>;
  close(): void;
}

/**
 * Puts retry, budget, bulkhead, breaker and timeouts around one dependency, in the order that the file's head tells.
 *
 * @param name in observers, and whose budget pays; one of few
 * @example
 * ```ts
 * const openai = createDependency('openai', { timeoutMs: 30_000, retry: { idempotent: true } });
 * const answer = await openai.execute(({ signal }) => fetch(url, { signal }));
 * ```
 */
export function createDependency(name: string, options: DependencyOptions = {}): Dependency {
  return new ProtectedDependency(name, options);
}

/** A dependency that hangs takes a part of the process, never all of it. */
const roomy: BulkheadOptions = { maxConcurrent: 1_024, maxQueue: 1_024 };

const timeoutModes = ['cooperative', 'strict'] as const;

type Run<T> = (context: CallContext) => PromiseLike<T> | T;

const noOptions: CallOptions = {};
const firstAttempt = { attempt: 1 };

class ProtectedDependency implements Dependency {
  readonly name: string;
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  /** Unlike what was given, these end with the dependency. */
  readonly #own: { close(): void }[] = [];
  readonly #retry: Retry | undefined;
  readonly #timeoutMs: number;
  readonly #strict: boolean;
  readonly #deadlineMs: number;
  readonly #permitWaitMs: number;
  readonly #clock: Clock;

  constructor(name: string, options: DependencyOptions) {
    const { retry = {}, breaker = {}, bulkhead = roomy, clock = systemClock, random = systemRandom } = options;
    this.name = name;
    this.#clock = clock;
    this.#timeoutMs = duration('timeoutMs', options.timeoutMs);
    this.#deadlineMs = duration('deadlineMs', options.deadlineMs);
    this.#strict = requireOneOf('timeoutMode', options.timeoutMode ?? 'cooperative', timeoutModes) === 'strict';
    this.#permitWaitMs = requireNumber('permitWaitMs', options.permitWaitMs ?? 0, 0);
    if (retry !== false) this.#retry = createRetry({ clock, random, ...retry, ...this.#budget(clock, retry) });
    if (breaker !== false)
      this.breaker = 'tryAcquire' in breaker ? breaker : this.#ownBreaker({ clock, random, ...breaker });
    if (bulkhead !== false)
      this.bulkhead = 'execute' in bulkhead ? bulkhead : this.#keep(createBulkhead(name, bulkhead));
  }

  #keep<T extends { close(): void }>(own: T): T {
    this.#own.push(own);
    return own;
  }

  /** Of a registry, which offers its counters. */
  #ownBreaker(options: BreakerOptions): CircuitBreaker {
    return this.#keep(createCircuitBreakers({ dependencies: { [this.name]: options } })).of(this.name);
  }

  /** Budgets that are made of options here can be closed here. */
  #budget(shared: Clock, { budget, clock = shared }: RetryOptions): Pick<RetryOptions, 'budget'> {
    if (budget === undefined || budget === false || 'of' in budget) return {};
    return { budget: this.#keep(createRetryBudgets({ clock, ...budget })) };
  }

  execute<T>(run: (context: CallContext) => PromiseLike<T> | T, options: CallOptions = noOptions): Promise<T> {
    const call = this.#call(options);
    const guarded: Run<T> = this.#strict ? (context) => this.#strictly(call, context, run) : run;
    return this.#tries(call, ({ attempt }) =>
      this.#admitted(call, () => this.#try(call, attempt, this.#timeoutMs, guarded)),
    );
  }

  stream<T>(run: (context: CallContext) => AsyncIterable<T>, options: CallOptions = noOptions): AsyncIterable<T> {
    let signal: AbortSignal | undefined;
    return guardStream<T>({
      // Wherever it is read, it is this call's: its context's deadline and signal count.
      open: AsyncResource.bind(() => {
        const call = this.#call(options);
        signal = call.signal;
        return this.#tries(call, ({ attempt }) =>
          openWithin(
            (reading) => this.#admitted(call, reading),
            () => this.#try(call, attempt, Number.POSITIVE_INFINITY, () => this.#open(call, attempt, run)),
          ),
        );
      }),
      // The permit of the stream was settled by its first chunk: later ones may come for minutes, and recovery can't wait for them.
      failed: (error) => {
        if (signal?.aborted !== true) this.breaker?.tryAcquire()?.fail(error);
      },
    });
  }

  close(): void {
    for (const own of this.#own) own.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  #call({ signal, deadlineMs = Number.POSITIVE_INFINITY, idempotencyKey }: CallOptions): Call {
    const context = current();
    // The one reading of the clock before the call: budget, breaker and deadlines take it from here.
    const madeMs = this.#clock.monotonicMs();
    const ownMs = madeMs + Math.min(this.#deadlineMs, deadlineMs);
    const lastMs = Math.min(ownMs, context?.deadlineMs ?? Number.POSITIVE_INFINITY);
    return new Call(this.name, signal ?? context?.signal, lastMs, madeMs, idempotencyKey);
  }

  #tries<T>(
    { signal, deadlineMs, madeMs }: Call,
    once: (attempt: { readonly attempt: number }) => Promise<T>,
  ): Promise<T> {
    if (Number.isNaN(deadlineMs))
      return Promise.reject(
        optionErrors.INVALID_OPTION({ option: 'deadlineMs', value: deadlineMs, expected: 'a number' }),
      );
    if (this.#retry === undefined) return signal?.aborted ? Promise.reject(signal.reason) : once(firstAttempt);
    const shared = { dependency: this.name, deadlineMs, nowMs: madeMs };
    return this.#retry.execute(once, signal === undefined ? shared : { ...shared, signal });
  }

  /** The first chunk within the timeout of the try; then only the deadline of the call and its caller end it. */
  #open<T>(call: Call, attempt: number, run: (context: CallContext) => AsyncIterable<T>): Promise<Source<T>> {
    const whole = this.#deadline(call, call.deadlineMs);
    const context: CallContext = new Try(call, attempt, whole);
    return openSource(
      whole,
      (signal) => run(Object.defineProperties(context, { signal: { value: signal } })),
      (next) => this.#strictly(call, context, next),
    );
  }

  #strictly<T>(call: Call, context: CallContext, run: (context: CallContext) => PromiseLike<T> | T): Promise<T> {
    const remainingMs = Math.min(this.#timeoutMs, context.remainingMs());
    return withTimeout(remainingMs, () => run(context), {
      operation: this.name,
      parent: call.signal,
      clock: this.#clock,
    });
  }

  #deadline({ signal }: Call, deadlineMs: number): Deadline {
    return createDeadline({ deadlineMs, parent: signal, clock: this.#clock });
  }

  #admitted<T>(call: Call, run: () => Promise<T>): Promise<T> {
    if (this.bulkhead === undefined) return run();
    return this.bulkhead.execute(run, call.signal, () =>
      patienceUntil(this.#deadline(call, call.deadlineMs), () => this.#late(call)),
    );
  }

  #late({ deadlineMs, madeMs }: Call): Error {
    return late(this.name, deadlineMs - madeMs);
  }

  #requireTime(call: Call, nowMs: number): void {
    call.signal?.throwIfAborted();
    if (nowMs >= call.deadlineMs) throw this.#late(call);
  }

  // One function for permit and timeout: each await of a promise between them would cost every call.
  async #try<T>(call: Call, attempt: number, timeoutMs: number, run: Run<T>): Promise<T> {
    const { breaker } = this;
    const waits = breaker !== undefined && this.#permitWaitMs > 0 && breaker.state !== 'closed';
    const isFirst = attempt === 1 && this.bulkhead === undefined;
    let nowMs = isFirst ? call.madeMs : this.#clock.monotonicMs();
    this.#requireTime(call, nowMs);
    const permit = waits ? await this.#wait(breaker, call) : breaker && (breaker.tryAcquire(nowMs) ?? refuse(breaker));
    let deadline: Deadline | undefined;
    try {
      if (waits) this.#requireTime(call, (nowMs = this.#clock.monotonicMs()));
      deadline = this.#deadline(call, Math.min(call.deadlineMs, nowMs + timeoutMs));
      const value = await run(new Try(call, attempt, deadline));
      permit?.succeed();
      return value;
    } catch (error) {
      // What did not start says nothing of the dependency.
      if (deadline === undefined || call.signal?.aborted === true) permit?.release();
      else permit?.fail(error);
      throw error;
    } finally {
      deadline?.[Symbol.dispose]();
    }
  }

  #wait(breaker: CircuitBreaker, { deadlineMs, signal }: Call): Promise<BreakerPermit> {
    return breaker.acquire({ untilMs: this.#clock.monotonicMs() + this.#permitWaitMs, deadlineMs, signal });
  }
}

function refuse(breaker: CircuitBreaker): never {
  const { dependency, state, retryAfterMs } = breaker.snapshot();
  throw errors.BREAKER_OPEN({ dependency, state: state.name }, { retryAfterMs });
}

function duration(name: string, value = Number.POSITIVE_INFINITY): number {
  return value === Number.POSITIVE_INFINITY ? value : requireNumber(name, value, 0);
}
