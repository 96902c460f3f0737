/** The producing side of the port: what the code that does the work holds. */
import type { EndOf, OperationName } from '../catalogue-types.ts';
import type { Outcome } from '../outcome.ts';

export interface Operation<N extends OperationName = OperationName> {
  /** Adds what was learned; a later value of the same name replaces the earlier one. Ignored after the end. */
  set(attributes: EndOf<N>): void;
  /** Declares the outcome of a call that returns normally; `error` is classified and kept. The last word before the end wins. */
  settle(outcome: Outcome, error?: unknown): void;
}

/** An operation that no single call spans: a response whose body is read later, a server request. It ends once; later calls are ignored. */
export interface OpenOperation<N extends OperationName = OperationName> extends Operation<N> {
  /** Calls `call` inside the operation, so that what it does nests under it. May be called often. */
  run<T>(call: () => T): T;
  /** Ends it with the outcome that was settled, `ok` by default. @param learned the last of what {@link Operation.set} adds */
  end(learned?: EndOf<N>): void;
  /** Ends it with the outcome that `error` says. */
  fail(error: unknown): void;
}

/** What `operate` returns for a call that returns T: a plain promise for anything thenable, since an observed call returns a derived one. */
export type Settled<T> = T extends PromiseLike<infer U> ? Promise<U> : T;
