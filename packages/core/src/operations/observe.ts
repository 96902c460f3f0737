import { type Plan, shared } from '../shared.ts';
import type { Observer, OperationHandlers, OperationRecord, Subscription, TraceIds } from './observer.ts';

/** Starts watching. Observers are called in the order in which they came, and at the end of an operation in reverse. */
export function observe(observer: Observer): Subscription {
  shared.observers.add(observer);
  refresh();
  return {
    refresh,
    [Symbol.dispose]() {
      shared.observers.delete(observer);
      refresh();
    },
  };
}

/**
 * The active trace, or the one that `operation` is recorded in, from whichever observer traces.
 *
 * At its end an operation is no longer active: whoever writes a line or an exemplar about it then asks for it by its record.
 */
export function trace(operation?: OperationRecord): TraceIds | undefined {
  for (const observer of shared.observers) {
    try {
      const ids = observer.trace?.(operation);
      if (ids !== undefined) return ids;
    } catch {
      shared.observerFailures++;
    }
  }
  return undefined;
}

/** Errors that observers threw since the process started. They changed nothing but this count. */
export function observerFailures(): number {
  return shared.observerFailures;
}

/** What a name has to call; made at its first use, so any name works, known to this copy of core or not. */
export function planFor(name: string): Plan {
  const known = shared.plans.get(name);
  if (known !== undefined) return known;
  const plan: Plan = { operations: [], events: [] };
  fill(name, plan);
  shared.plans.set(name, plan);
  return plan;
}

function refresh(): void {
  shared.plans.forEach((plan, name) => fill(name, plan));
}

function fill(name: string, plan: Plan): void {
  const operations: OperationHandlers[] = [];
  const events: ((event: unknown) => void)[] = [];
  for (const observer of shared.observers) {
    try {
      const tables = observer as {
        operations?: Record<string, OperationHandlers>;
        events?: Record<string, (event: unknown) => void>;
      };
      const handlers = tables.operations?.[name] ?? observer.operation?.(name);
      if (handlers !== undefined) operations.push(handlers);
      const handler = tables.events?.[name] ?? observer.event?.(name);
      if (handler !== undefined) events.push(handler);
    } catch {
      shared.observerFailures++;
    }
  }
  plan.operations = operations;
  plan.events = events;
}
