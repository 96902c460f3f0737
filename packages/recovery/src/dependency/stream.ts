import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';

/** A stream whose first chunk came. */
export interface OpenedStream<T> {
  readonly iterator: AsyncIterator<T>;
  readonly first: IteratorResult<T>;
  close(): void;
}

interface Guarded<T> {
  readonly breaker: CircuitBreaker | undefined;
  /** Opens it, trying again as the dependency does. */
  open(): Promise<OpenedStream<T>>;
}

/** Reads an opened stream to its end. A reader that leaves closes the source; a cut counts against the dependency. */
export async function* guardStream<T>(guarded: Guarded<T>): AsyncGenerator<T> {
  const opened = await guarded.open();
  const { iterator } = opened;
  let ended = false;
  try {
    for (let result = opened.first; ; result = await iterator.next()) {
      if (result.done) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    ended = true;
    // The permit of the stream was settled by its first chunk: later ones may come for minutes, and recovery can't wait for them.
    guarded.breaker?.tryAcquire()?.fail(error);
    throw error;
  } finally {
    opened.close();
    if (!ended) await iterator.return?.();
  }
}
