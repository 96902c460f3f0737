import type { CallContext } from '../dependency/call-context.ts';
import type { Dependency } from '../dependency/dependency.ts';

/** One way to an answer, for instance a model of a provider. */
export interface Target<I, O, C = unknown> {
  /** In outcomes and observers; one of few. */
  readonly name: string;
  /** Protects its calls, and pays its own retries from its own budget. */
  readonly dependency?: Dependency;
  call(input: I, context: TargetContext): PromiseLike<O> | O;
  /** Missing where it cannot stream; a stream then passes it over. */
  stream?(input: I, context: TargetContext): AsyncIterable<C>;
  /** Lower comes first. @default its place in the list */
  readonly priority?: number;
  /** What a call costs, in any unit that all targets share. @default 0 */
  readonly cost?: number;
  /** How good it is, on any scale that all targets share. @default 0 */
  readonly quality?: number;
  /** Tokens that fit. @default Infinity */
  readonly contextWindow?: number;
}

export type TargetContext = Pick<CallContext, 'signal'>;

/** The best first: by the lowest priority, from expensive to cheap, from high quality to low, or as a function says. */
export type TargetOrder<T, I> = 'priority' | 'cost' | 'quality' | ((input: I, targets: readonly T[]) => readonly T[]);

interface Ranked {
  readonly priority?: number;
  readonly cost?: number;
  readonly quality?: number;
}

export function ordered<T extends Ranked, I>(targets: readonly T[], order: TargetOrder<T, I>, input: I): readonly T[] {
  if (typeof order === 'function') return order(input, targets);
  // Sorting is stable: equals stay in the order of the list.
  if (order === 'cost') return targets.toSorted((a, b) => (b.cost ?? 0) - (a.cost ?? 0));
  if (order === 'quality') return targets.toSorted((a, b) => (b.quality ?? 0) - (a.quality ?? 0));
  const place = new Map(targets.map((target, index) => [target, target.priority ?? index]));
  return targets.toSorted((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
}
