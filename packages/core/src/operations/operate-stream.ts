import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import type { OperationName, StartOf } from '../catalogue-types.ts';
import { LiveOperation } from './live-operation.ts';
import { planFor } from './observe.ts';
import { Held } from './open-operations.ts';
import type { Operation } from './operation.ts';
import { unobserved } from './unobserved.ts';

/**
 * Reads `run`'s iterable as an operation. It begins at the first read and ends when the iterator ends, returns or throws; a stream that is never read never began.
 *
 * All reads run in the context of this call, wherever they are made: a stream made for one tenant and read elsewhere stays that tenant's.
 */
export function operateStream<N extends OperationName, T>(
  name: N,
  start: StartOf<N>,
  run: (operation: Operation<N>) => AsyncIterable<T>,
): AsyncIterable<T> {
  const here = new AsyncResource('sage-adk:stream');
  const source: StreamSource<T> = {
    name,
    start: start as StartOf<OperationName>,
    run: run as (operation: Operation) => AsyncIterable<T>,
  };
  return { [Symbol.asyncIterator]: () => new BoundIterator(source, here) };
}

interface StreamSource<T> {
  readonly name: OperationName;
  readonly start: StartOf<OperationName>;
  readonly run: (operation: Operation) => AsyncIterable<T>;
}

class BoundIterator<T> implements AsyncIterator<T> {
  readonly #stream: StreamSource<T>;
  #here: AsyncResource;
  #iterator: AsyncIterator<T> | undefined;
  #held: Held | undefined;

  constructor(stream: StreamSource<T>, here: AsyncResource) {
    this.#stream = stream;
    this.#here = here;
  }

  next(): Promise<IteratorResult<T>> {
    try {
      const iterator = this.#iterator ?? this.#open();
      const reading = this.#here.runInAsyncScope(pull<T>, undefined, iterator);
      return this.#held === undefined ? reading : settled(this.#held, reading);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    const iterator = this.#iterator;
    const held = this.#held;
    if (iterator?.return === undefined) {
      held?.finish('cancelled');
      this.#iterator ??= exhausted;
      return Promise.resolve({ done: true, value });
    }
    const close = iterator.return.bind(iterator);
    if (held === undefined) return this.#here.runInAsyncScope(close, undefined, value);
    // A source that never confirms is ended by the sweep.
    held.closing = true;
    return settled(held, this.#here.runInAsyncScope(close, undefined, value));
  }

  #open(): AsyncIterator<T> {
    const { name, start, run } = this.#stream;
    const { operations } = planFor(name);
    if (operations.length === 0) {
      return (this.#iterator = this.#here.runInAsyncScope(() => run(unobserved)[Symbol.asyncIterator]()));
    }
    return this.#here.runInAsyncScope(() => {
      const live = new LiveOperation(name, start, operations);
      const held = (this.#held = new Held(live, this));
      try {
        // Made inside the carried context, the resource binds later reads to it: no carry per chunk.
        live.carry(() => {
          this.#iterator = run(live)[Symbol.asyncIterator]();
          this.#here = new AsyncResource('sage-adk:stream');
        });
      } catch (error) {
        this.#iterator = exhausted;
        held.fail(error);
        throw error;
      }
      return this.#iterator as AsyncIterator<T>;
    });
  }
}

const exhausted: AsyncIterator<never> = { next: () => Promise.resolve({ done: true, value: undefined }) };

function pull<T>(iterator: AsyncIterator<T>): Promise<IteratorResult<T>> {
  return iterator.next();
}

// A free function, so that a pending read holds the record and never the iterator: else the collector could not see a dropped one.
function settled<T>(held: Held, reading: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
  // An iterator of somebody's own may return what `for await` takes as well: a result without a promise, or none.
  return Promise.resolve<IteratorResult<T> | undefined>(reading).then(
    (result) => {
      held.touchedMs = performance.now();
      if (held.closing) held.finish('cancelled');
      else if (result?.done) held.finish('ok');
      return result as IteratorResult<T>;
    },
    (error: unknown) => {
      held.fail(error);
      throw error;
    },
  );
}
