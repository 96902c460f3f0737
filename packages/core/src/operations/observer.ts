/** The observing side of the port. Metrics, logging and tracing are three observers. */
import type { EndOf, EventName, Events, OperationName, StartOf } from '../catalogue-types.ts';
import type { Context } from '../context/context.ts';
import type { Category, Outcome } from '../outcome.ts';

/** What an observer reads of an operation. It may be kept after `end`. */
export interface OperationRecord<N extends OperationName = OperationName> {
  readonly name: N;
  readonly start: StartOf<N>;
  /** What the operation learned through `set`. */
  readonly attributes: EndOf<N>;
  readonly context: Context | undefined;
  /** Start on the clock of `performance.now()`, in milliseconds. */
  readonly startedMs: number;
  /** 0 until the end. */
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly category: Category | undefined;
  /** A code of a `defineErrors` table; any other code is left out, so this is safe as a label. */
  readonly code: string | undefined;
  readonly error: unknown;
}

export interface OperationHandlers<N extends OperationName = OperationName, S = unknown> {
  /** What it returns is handed to `carry` and `end` of the same operation. */
  start?(record: OperationRecord<N>): S;
  /** Runs `call` once, synchronously, inside whatever context the observer carries. Skipped where `start` returned undefined. */
  carry?(record: OperationRecord<N>, state: S, call: () => void): void;
  end?(record: OperationRecord<N>, state: S): void;
}

/** Somebody who watches. Whatever it throws is counted and changes nothing. */
export interface Observer {
  readonly name: string;
  readonly operations?: { readonly [N in OperationName]?: OperationHandlers<N> };
  /** Asked once per operation name that `operations` lacks; `undefined` means not interested, and costs nothing. */
  operation?(name: string): OperationHandlers | undefined;
  readonly events?: { readonly [E in EventName]?: (event: Readonly<Events[E]>) => void };
  /** Asked once per event name that `events` lacks. */
  event?(name: string): ((event: unknown) => void) | undefined;
  /** If this observer traces: the trace that `operation` is recorded in, or the active one where none is given or it has none of its own. */
  trace?(operation?: OperationRecord): TraceIds | undefined;
  /** Writes what the next process needs to go on, for instance `traceparent`. */
  inject?(carrier: Record<string, string>): void;
  /** Lower-case names of the fields that `extract` keeps for this observer in the context's `carrier`. */
  readonly carrierFields?: readonly string[];
}

/** W3C trace context of the active span: 32 and 16 lower-case hex digits. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The observer's place in the process. Disposing ends it; operations that already began still reach it. */
export interface Subscription extends Disposable {
  /** Asks the observer again which names it wants, for instance after a change of log level. */
  refresh(): void;
}
