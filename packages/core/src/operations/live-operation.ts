import { performance } from 'node:perf_hooks';
import type { EndOf, OperationName, StartOf } from '../catalogue-types.ts';
import type { Context } from '../context/context.ts';
import { verdictOf } from '../errors/verdict.ts';
import type { Category, Outcome } from '../outcome.ts';
import { shared } from '../shared.ts';
import type { OperationHandlers, OperationRecord } from './observer.ts';
import type { Operation } from './operation.ts';

const nothing: EndOf<OperationName> = Object.freeze({});

/** An observed operation: what the producer holds and the record the observers read, in one object. */
export class LiveOperation implements OperationRecord, Operation {
  readonly name: OperationName;
  readonly start: StartOf<OperationName>;
  readonly context: Context | undefined = shared.context.getStore();
  readonly startedMs: number = performance.now();
  attributes: EndOf<OperationName> = nothing;
  outcome: Outcome = 'ok';
  category: Category | undefined;
  code: string | undefined;
  error: unknown;
  durationMs = 0;
  ended = false;
  readonly #handlers: readonly OperationHandlers[];
  /** What the handlers returned at the start; missing where none returned anything. */
  #states: unknown[] | undefined;
  /** Whether some observer carries a context; without one, `carry` is a plain call. */
  carries = false;

  constructor(name: OperationName, start: StartOf<OperationName>, handlers: readonly OperationHandlers[]) {
    this.name = name;
    this.start = start;
    // Kept for the end: start and end pair up even if observers come and go meanwhile.
    this.#handlers = handlers;
    for (let i = 0; i < handlers.length; i++) this.#begin(handlers, i);
  }

  #begin(handlers: readonly OperationHandlers[], at: number): void {
    const handler = handlers[at];
    if (handler?.start === undefined) return;
    try {
      const state: unknown = handler.start(this);
      if (state === undefined) return;
      // A literal of three takes far less than an array that grows to them.
      this.#states ??= [undefined, undefined, undefined];
      this.#states[at] = state;
      if (handler.carry !== undefined) this.carries = true;
    } catch {
      shared.observerFailures++;
    }
  }

  set(attributes: EndOf<OperationName>): void {
    if (this.ended) return;
    this.attributes = this.attributes === nothing ? attributes : { ...this.attributes, ...attributes };
  }

  settle(outcome: Outcome, error?: unknown): void {
    if (this.ended) return;
    this.outcome = outcome;
    if (error === undefined) return;
    const verdict = verdictOf(error, this.context?.signal);
    this.category = verdict.category;
    this.code = verdict.code;
    this.error = error;
  }

  end(atMs: number = performance.now()): void {
    if (this.ended) return;
    this.ended = true;
    this.durationMs = atMs - this.startedMs;
    for (let i = this.#handlers.length - 1; i >= 0; i--) {
      try {
        this.#handlers[i]?.end?.(this, this.#states?.[i]);
      } catch {
        shared.observerFailures++;
      }
    }
  }

  fail(error: unknown): void {
    this.settle(verdictOf(error, this.context?.signal).outcome, error);
    this.end();
  }

  /** Calls `call` inside every carried context. The call is latched: an observer can neither skip, repeat nor alter it. */
  carry<T>(call: () => T): T {
    if (!this.carries) return call();
    const latch = new Latch(call);
    let inner = latch.run;
    for (let i = this.#handlers.length - 1; i >= 0; i--) {
      const handler = this.#handlers[i];
      const state = this.#states?.[i];
      const next = inner;
      if (handler?.carry !== undefined && state !== undefined) inner = () => handler.carry?.(this, state, next);
    }
    try {
      inner();
    } catch {
      shared.observerFailures++;
    }
    return latch.result();
  }
}

class Latch<T> {
  readonly #call: () => T;
  #called = false;
  #threw = false;
  /** What the call returned or threw. */
  #outcome: unknown;

  constructor(call: () => T) {
    this.#call = call;
  }

  readonly run = (): void => {
    if (this.#called) return;
    this.#called = true;
    try {
      this.#outcome = this.#call();
    } catch (error) {
      this.#threw = true;
      this.#outcome = error;
    }
  };

  result(): T {
    this.run();
    if (this.#threw) throw this.#outcome;
    return this.#outcome as T;
  }
}
