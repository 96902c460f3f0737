import { performance } from 'node:perf_hooks';
import type { EndOf, OperationName, StartOf } from '../catalogue-types.ts';
import type { Outcome } from '../outcome.ts';
import { LiveOperation } from './live-operation.ts';
import { planFor } from './observe.ts';
import { Held } from './open-operations.ts';
import type { OpenOperation } from './operation.ts';
import { unobservedOpen } from './unobserved.ts';

/**
 * Begins an operation whose end comes from elsewhere: a response whose body is read later, a server request.
 *
 * A handle that is dropped, or whose context is aborted, ends as cancelled.
 */
export function begin<N extends OperationName>(name: N, start: StartOf<N>): OpenOperation<N> {
  const { operations } = planFor(name);
  if (operations.length === 0) return unobservedOpen;
  return new Handle(new LiveOperation(name, start as StartOf<OperationName>, operations));
}

class Handle implements OpenOperation {
  readonly #live: LiveOperation;
  readonly #held: Held;

  constructor(live: LiveOperation) {
    this.#live = live;
    this.#held = new Held(live, this);
  }

  set(attributes: EndOf<OperationName>): void {
    this.#held.touchedMs = performance.now();
    this.#live.set(attributes);
  }

  settle(outcome: Outcome, error?: unknown): void {
    this.#live.settle(outcome, error);
  }

  run<T>(call: () => T): T {
    return this.#live.carry(call);
  }

  end(learned?: EndOf<OperationName>): void {
    if (learned !== undefined) this.#live.set(learned);
    this.#held.finish('ok');
  }

  fail(error: unknown): void {
    this.#held.fail(error);
  }
}
