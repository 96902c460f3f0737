import { operate } from './operations/operate.ts';
import { operateStream } from './operations/operate-stream.ts';

/** A step around a call: it may change the input, the output, answer itself, or call `next`, once or more. */
export type Middleware<I, O> = (input: I, next: (input: I) => Promise<O>) => Promise<O>;

/** The same for calls that answer with a stream. */
export type StreamMiddleware<I, T> = (input: I, next: (input: I) => AsyncIterable<T>) => AsyncIterable<T>;

/** A middleware with the name under which it is measured. */
export interface Named<M> {
  readonly name: string;
  readonly middleware: M;
}

/**
 * Puts middlewares around `handler`, the first outermost. Each is an `agent.middleware` operation that says how long it worked before and after the rest.
 *
 * @example
 * ```ts
 * const answer = compose([{ name: 'validate', middleware: validate }, { name: 'limit', middleware: limit }], handle);
 * ```
 */
export function compose<I, O>(
  middlewares: readonly Named<Middleware<I, O>>[],
  handler: (input: I) => Promise<O>,
): (input: I) => Promise<O> {
  return middlewares.reduceRight<(input: I) => Promise<O>>((next, { name, middleware }) => {
    return (input) =>
      operate('agent.middleware', { middleware: name }, async (operation) => {
        const times = new StepTimes();
        try {
          return await middleware(input, async (passed) => {
            times.leave();
            try {
              return await next(passed);
            } finally {
              times.resume();
            }
          });
        } finally {
          operation.set(times.read());
        }
      });
  }, handler);
}

/** {@link compose} for streams. What a middleware does before its first event counts as before, what it does after the last as after. */
export function composeStream<I, T>(
  middlewares: readonly Named<StreamMiddleware<I, T>>[],
  handler: (input: I) => AsyncIterable<T>,
): (input: I) => AsyncIterable<T> {
  return middlewares.reduceRight<(input: I) => AsyncIterable<T>>((next, { name, middleware }) => {
    return (input) =>
      operateStream('agent.middleware', { middleware: name }, async function* (operation) {
        const times = new StepTimes();
        try {
          yield* middleware(input, async function* (passed) {
            times.leave();
            try {
              yield* next(passed);
            } finally {
              times.resume();
            }
          });
        } finally {
          operation.set(times.read());
        }
      });
  }, handler);
}

/** How long a step worked before it first called the rest, and after the rest was last done. */
class StepTimes {
  readonly #startedMs = performance.now();
  #leftMs: number | undefined;
  #resumedMs: number | undefined;

  leave(): void {
    this.#leftMs ??= performance.now();
  }

  resume(): void {
    this.#resumedMs = performance.now();
  }

  read(): { readonly beforeMs: number; readonly afterMs: number } {
    const endedMs = performance.now();
    return { beforeMs: (this.#leftMs ?? endedMs) - this.#startedMs, afterMs: endedMs - (this.#resumedMs ?? endedMs) };
  }
}
