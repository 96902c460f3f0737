import { shared, type Source } from '../shared.ts';

/**
 * Offers counters of a hot path that is too fast for an operation; metrics reads them when it is scraped.
 *
 * @param read returns running totals and levels by name; it must be cheap and must not wait.
 * @returns disposing it takes the counters away.
 */
export function source(name: string, read: () => Readonly<Record<string, number>>): Disposable {
  const entry: Source = { name, read };
  shared.sources.add(entry);
  return { [Symbol.dispose]: () => void shared.sources.delete(entry) };
}

/** Every source that is offered now. */
export function sources(): readonly Source[] {
  return [...shared.sources];
}
