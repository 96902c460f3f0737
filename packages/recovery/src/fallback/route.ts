/** Where a request goes next: the targets that are left, and what each error means for them. */
import { type Classification, type Reason } from '../classify/classification.ts';
import type { Classifier } from '../classify/classifier.ts';
import type { AttemptRecord } from './outcome.ts';
import type { Target } from './target.ts';

export interface RouteRules {
  readonly onContextLength: 'larger' | 'fail';
  readonly onContentPolicy: 'fail' | 'next';
  readonly classifier: Classifier;
  readonly signal: AbortSignal | undefined;
}

// Another target would say the same, or must not be asked.
const sameEverywhere = new Set<Reason>(['invalid', 'caller', 'security']);

export class Route<I, O, C> {
  readonly attempts: AttemptRecord[] = [];
  readonly first: string;
  readonly #rules: RouteRules;
  readonly #errors: unknown[] = [];
  readonly #repeated = new Set<Target<I, O, C>>();
  #left: readonly Target<I, O, C>[];
  #failed: Target<I, O, C> | undefined;

  constructor(targets: readonly Target<I, O, C>[], rules: RouteRules, first: string) {
    this.#left = targets;
    this.#rules = rules;
    this.first = first;
  }

  /** The next target to ask. */
  next(): Target<I, O, C> | undefined {
    const [target, ...left] = this.#left;
    this.#left = left;
    this.#failed = target;
    return target;
  }

  /** Asks a target once more, when no other is left. */
  again(target: Target<I, O, C>): void {
    if (this.#repeated.has(target)) return;
    this.#repeated.add(target);
    this.#left = [...this.#left, target];
  }

  /** Why the first choice did not serve. */
  get reason(): string {
    return this.attempts[0]?.reason ?? 'unfit';
  }

  get cause(): unknown {
    return this.#errors.length === 1 ? this.#errors[0] : new AggregateError(this.#errors, 'All targets failed.');
  }

  classify(error: unknown): Classification {
    const { classifier, signal } = this.#rules;
    return classifier.classify(error, signal && { signal });
  }

  /** Notes the failure of the target that was asked; throws its error where nobody else shall be. */
  failed(error: unknown, { category, reason }: Classification): void {
    const target = this.#failed;
    this.attempts.push({ target: target?.name ?? '', category, reason });
    this.#errors.push(error);
    const { onContextLength, onContentPolicy, signal } = this.#rules;
    if (signal?.aborted === true || sameEverywhere.has(reason)) throw error;
    if (reason === 'content_policy' && onContentPolicy === 'fail') throw error;
    // No time for another target, but for an answer that is at hand.
    if (reason === 'deadline') this.#left = [];
    if (reason !== 'context_length') return;
    if (onContextLength === 'fail') throw error;
    this.#left = this.#left.filter((one) => windowOf(one) > windowOf(target));
    if (this.#left.length === 0) throw error;
  }
}

function windowOf(target: { readonly contextWindow?: number } | undefined): number {
  return target?.contextWindow ?? Number.POSITIVE_INFINITY;
}
