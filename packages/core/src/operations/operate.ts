import type { OperationName, StartOf } from '../catalogue-types.ts';
import { shared } from '../shared.ts';
import { LiveOperation } from './live-operation.ts';
import { planFor } from './observe.ts';
import { Held } from './open-operations.ts';
import type { Operation, Settled } from './operation.ts';
import { unobserved } from './unobserved.ts';

/**
 * Does `run` as an operation that observers can see. The result, the error, the context and unhandled rejections are those of the bare call.
 *
 * Ends when `run` returns, throws or settles its promise.
 *
 * @example
 * ```ts
 * const value = await operate('storage.get', { store: 'redis', namespace }, async (operation) => {
 *   const found = await client.get(key);
 *   operation.set({ hit: found !== null });
 *   return found;
 * });
 * ```
 */
export function operate<N extends OperationName, T>(
  name: N,
  start: StartOf<N>,
  run: (operation: Operation<N>) => T,
): Settled<T> {
  if (shared.observers.size === 0) return run(unobserved) as Settled<T>;
  const { operations } = planFor(name);
  if (operations.length === 0) return run(unobserved) as Settled<T>;
  const live = new LiveOperation(name, start as StartOf<OperationName>, operations);
  return observed(live, run) as Settled<T>;
}

function observed(live: LiveOperation, run: (operation: Operation) => unknown): unknown {
  let result: unknown;
  try {
    result = live.carries ? live.carry(() => run(live)) : run(live);
  } catch (error) {
    live.fail(error);
    throw error;
  }
  if (!isThenable(result)) {
    live.end();
    return result;
  }
  let held: Held | undefined;
  // The derived promise is what the caller gets: a side branch would hide unhandled rejections and run lazy thenables twice.
  const derived = Promise.resolve(result).then(
    (value) => {
      held?.release();
      live.end();
      return value;
    },
    (error: unknown) => {
      held?.release();
      live.fail(error);
      throw error;
    },
  );
  if (!live.ended) held = new Held(live, derived);
  return derived;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}
