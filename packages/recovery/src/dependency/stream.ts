/**
 * A stream of a dependency, or of a target of a chain, that is left where it ignores its signal.
 *
 * A source may ignore the signal of its try. Its reader hears of the deadline and of an abort all the same: each read waits for its chunk or for the signal, by one
 * listener for the whole stream. Whatever ends it, the source is closed and its place in the bulkhead given back; where a reader neither reads on nor leaves, by the
 * deadline, an abort, or the collector.
 */
import type { Deadline } from '@sage-adk/core/deadline';

/**
 * The source that `run` makes, when its first chunk came.
 *
 * @param whole deadline of the stream; disposed with it
 * @param first waits for the first chunk as long as the stream may take to begin
 */
export async function openSource<T>(
  whole: Deadline,
  run: (signal: AbortSignal) => AsyncIterable<T>,
  first: (next: () => Promise<IteratorResult<T>>) => Promise<IteratorResult<T>>,
): Promise<Source<T>> {
  const controller = new AbortController();
  let iterator: AsyncIterator<T> | undefined;
  try {
    whole.signal.throwIfAborted();
    const opened = (iterator = run(AbortSignal.any([whole.signal, controller.signal]))[Symbol.asyncIterator]());
    return new Source(opened, await first(() => opened.next()), whole);
  } catch (error) {
    controller.abort(error);
    whole[Symbol.dispose]();
    abandon(iterator);
    throw error;
  }
}

/** A source whose first chunk came. */
export class Source<T> {
  readonly first: IteratorResult<T>;
  /** Resolves when nothing is read from it any more. */
  readonly closed: Promise<void>;
  readonly #iterator: AsyncIterator<T>;
  readonly #deadline: Deadline;
  readonly #tellClosed: () => void;
  #isTold = false;
  /** Ends what waits for the iterator. */
  #cut: ((reason: unknown) => void) | undefined;

  /** @param deadline of the whole stream; disposed with it */
  constructor(iterator: AsyncIterator<T>, first: IteratorResult<T>, deadline: Deadline) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.first = first;
    this.closed = promise;
    this.#iterator = iterator;
    this.#deadline = deadline;
    this.#tellClosed = resolve;
    if (deadline.signal.aborted) this.abandon();
    else deadline.signal.addEventListener('abort', this.#abort);
  }

  next(): Promise<IteratorResult<T>> {
    const { signal } = this.#deadline;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      this.#cut = reject;
      Promise.resolve(this.#iterator.next()).then(resolve, reject);
    });
  }

  close(): void {
    const { signal } = this.#deadline;
    signal.removeEventListener('abort', this.#abort);
    this.#deadline[Symbol.dispose]();
    this.#tellClosed();
  }

  /** Closes the iterator too, and waits for that as long as the stream may last. */
  leave(): Promise<void> {
    const left = new Promise<unknown>((resolve, reject) => {
      if (this.#deadline.signal.aborted) return resolve(undefined);
      this.#cut = resolve;
      this.#isTold = true;
      Promise.resolve(this.#iterator.return?.()).then(resolve, reject);
    });
    return left.then(() => {}).finally(() => this.close());
  }

  /** Closes the iterator too, and waits for nothing. */
  abandon(): void {
    this.close();
    if (!this.#isTold) abandon(this.#iterator);
    this.#isTold = true;
  }

  readonly #abort = (): void => {
    this.#cut?.(this.#deadline.signal.reason);
    this.abandon();
  };
}

/** Tells an iterator that nobody reads it any more; what it makes of that is nobody's any more either. */
export function abandon(iterator: AsyncIterator<unknown> | undefined): void {
  new Promise((resolve) => resolve(iterator?.return?.())).catch(() => {});
}

/** Opens a source within a place, which it keeps until nothing is read from it any more. */
export function openWithin<T>(
  place: (reading: () => Promise<void>) => Promise<void>,
  open: () => Promise<Source<T>>,
): Promise<Source<T>> {
  return new Promise((resolve, reject) => {
    const reading = async (): Promise<void> => {
      const source = await open();
      resolve(source);
      await source.closed;
    };
    place(reading).catch(reject);
  });
}

interface Guarded<T> {
  /** Opens it, trying again as the dependency does. */
  open(): Promise<Source<T>>;
  /** Hears what it broke off by. */
  failed?(error: unknown): void;
}

/** Reads a source to its end. A reader that leaves closes it. */
export function guardStream<T>(guarded: Guarded<T>): AsyncGenerator<T> {
  const opened: Opened = { source: undefined };
  const reading = read(guarded, opened);
  dropped.register(reading, opened);
  return reading;
}

interface Opened {
  source: Source<unknown> | undefined;
}

/** Sources whose readers are gone without leaving. */
const dropped = new FinalizationRegistry<Opened>(({ source }) => source?.abandon());

async function* read<T>(guarded: Guarded<T>, opened: Opened): AsyncGenerator<T> {
  const source = await guarded.open();
  opened.source = source;
  let left = true;
  try {
    for (let result = source.first; !result.done; result = await source.next()) yield result.value;
    left = false;
    source.close();
  } catch (error) {
    left = false;
    source.abandon();
    guarded.failed?.(error);
    throw error;
  } finally {
    if (left) await source.leave();
  }
}
