/**
 * What all copies of core in one process share. This object and the records in it are the ABI of v1: members may be added, none may change or go.
 *
 * Two packages may bring two versions of core; an operation of one must reach the observers of the other, and a request's context must be one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from './context/context.ts';
import type { Observer, OperationHandlers } from './operations/observer.ts';

export interface Shared {
  readonly observers: Set<Observer>;
  /** What each operation or event name has to call, computed once from the observers. */
  readonly plans: Map<string, Plan>;
  readonly context: AsyncLocalStorage<Context>;
  /** Error codes that may become a label: those of `defineErrors` tables, of which there are finitely many. */
  readonly codes: Set<string>;
  /** Operations that began and have not ended, and that no running call will end for certain. */
  readonly open: OpenList;
  readonly sources: Set<Source>;
  sweeper: { cancel(): void } | undefined;
  /** Errors thrown by observers; they change nothing else. */
  observerFailures: number;
}

export interface Plan {
  operations: readonly OperationHandlers[];
  events: readonly ((event: unknown) => void)[];
}

/** A list that is linked through its records: coming and going costs a fifth of a Set's. */
export interface OpenList {
  first: OpenRecord | undefined;
  size: number;
}

/** An open operation, whichever copy of core began it. */
export interface OpenRecord {
  previous: OpenRecord | undefined;
  next: OpenRecord | undefined;
  /** Called about once a second: ends the operation if its context was aborted. */
  sweep(): void;
  /** Ends the operation as cancelled, now. */
  abandon(): void;
}

/** Counters of a hot path, read when somebody asks. */
export interface Source {
  readonly name: string;
  read(): Readonly<Record<string, number>>;
}

const key = Symbol.for('@sage-adk/core/v1');
const holder = globalThis as { [key]?: Shared };

export const shared: Shared = (holder[key] ??= {
  observers: new Set(),
  plans: new Map(),
  context: new AsyncLocalStorage(),
  codes: new Set(),
  open: { first: undefined, size: 0 },
  sources: new Set(),
  sweeper: undefined,
  observerFailures: 0,
});
