import { begin, emit } from '@sage-adk/core';
import { createDeadline, withTimeout } from '@sage-adk/core/deadline';
import { guardStream, openSource } from '../dependency/stream.ts';
import { brokeOff } from './errors.ts';
import type { Served } from './outcome.ts';
import type { Route } from './route.ts';
import type { Target } from './target.ts';

/**
 * What happens where a stream breaks off after its reader saw something: a `SAGE_FALLBACK_PARTIAL_STREAM`; the next target goes on from what was
 * delivered, with the input that `continueWith` makes; or the next target, or a response tier, starts again, after a chunk that tells the reader to forget.
 * An error after which nobody else is asked is a `SAGE_FALLBACK_PARTIAL_STREAM` under each rule. Its category is that of its cause. A target whose stream broke off by a transient error is asked once more when no other is left.
 */
export type CutRule<I, C> =
  | 'throw'
  | { continueWith(input: I, delivered: readonly C[]): I }
  | { readonly restartWith: C };

export function isCutRule(rule: unknown): boolean {
  if (typeof rule !== 'object' || rule === null) return rule === 'throw';
  return 'restartWith' in rule || ('continueWith' in rule && typeof rule.continueWith === 'function');
}

export interface ChainReading<I, O, C> {
  readonly chain: string;
  readonly route: Route<I, O, C>;
  readonly input: I;
  readonly signal: AbortSignal | undefined;
  /** Calls in the context of where the stream was made: its deadline counts, wherever it is read. */
  readonly within: <T>(call: () => T) => T;
  readonly isVisible: (chunk: C) => boolean;
  readonly onCut: CutRule<I, C>;
  onServed(served: Served): void;
  /** The chunks of a response tier; throws where there is none. */
  respond(route: Route<I, O, C>): Promise<{ readonly chunks: Iterable<C>; readonly served: Served }>;
}

/** Reads a chain: each target is one `fallback.step`, from its start to its first visible chunk. */
export async function* readChain<I, O, C>(reading: ChainReading<I, O, C>): AsyncGenerator<C> {
  const { route, onCut } = reading;
  const keeps = typeof onCut === 'object' && 'continueWith' in onCut;
  const restarts = typeof onCut === 'object' && 'restartWith' in onCut;
  const delivered: C[] = [];
  let { input } = reading;
  let seen = 0;
  for (let target = route.next(); target !== undefined; target = route.next()) {
    if (target.stream === undefined) continue;
    const attempt = new StreamAttempt(reading, target, input);
    try {
      for await (const chunk of attempt.chunks()) {
        seen++;
        if (keeps) delivered.push(chunk);
        yield chunk;
      }
      return;
    } catch (error) {
      const follows = attempt.failed(error);
      if (!attempt.visible) continue;
      if (onCut === 'throw' || follows === 'nobody') throw brokeOff(target.name, seen, error, route.attempts.slice(-1));
      if (keeps) input = onCut.continueWith(reading.input, delivered);
      if (restarts) yield onCut.restartWith;
      if (follows === 'anybody') route.again(target);
    }
  }
  const partial = (): Error => brokeOff(route.first, seen, route.cause, route.attempts);
  // Half an answer of a model and a default behind it would be neither.
  if (seen > 0 && !restarts) throw partial();
  const { chunks, served } = await reading.respond(route).catch((error: unknown) => {
    throw seen > 0 ? partial() : error;
  });
  reading.onServed(served);
  yield* chunks;
}

class StreamAttempt<I, O, C> {
  visible = false;
  readonly #reading: ChainReading<I, O, C>;
  readonly #target: Target<I, O, C>;
  readonly #input: I;
  readonly #step;
  readonly #tier: 'primary' | 'fallback';

  constructor(reading: ChainReading<I, O, C>, target: Target<I, O, C>, input: I) {
    this.#reading = reading;
    this.#target = target;
    this.#input = input;
    this.#tier = target.name === reading.route.first ? 'primary' : 'fallback';
    this.#step = begin('fallback.step', { chain: reading.chain, target: target.name, tier: this.#tier });
  }

  /** Holds back what is not visible until something is. */
  async *chunks(): AsyncGenerator<C> {
    const held: C[] = [];
    this.#reading.signal?.throwIfAborted();
    for await (const chunk of this.#open()) {
      if (!this.visible) held.push(chunk);
      if (!this.visible && this.#reading.isVisible(chunk)) {
        this.#serve();
        yield* held;
      } else if (this.visible) yield chunk;
    }
    if (this.visible) return;
    // An answer without anything to see is an answer.
    this.#serve();
    yield* held;
  }

  /** Tells of a failure, and who may be asked after it. Throws what a reader that has seen nothing, or has left, is told. */
  failed(error: unknown): 'nobody' | 'others' | 'anybody' {
    const { route, signal } = this.#reading;
    const classification = route.classify(error);
    this.#step.set({ reason: classification.reason });
    this.#step.fail(error);
    // However a source words it, what it threw after the abort is the abort.
    signal?.throwIfAborted();
    try {
      route.failed(error, classification);
    } catch (stop) {
      if (!this.visible || classification.category === 'cancelled') throw stop;
      return 'nobody';
    }
    return classification.category === 'transient' ? 'anybody' : 'others';
  }

  #open(): AsyncIterable<C> {
    const target = this.#target;
    const stream = (context: { readonly signal: AbortSignal }): AsyncIterable<C> =>
      target.stream?.(this.#input, context) ?? none;
    const { signal, within } = this.#reading;
    const { dependency } = target;
    return within(() => {
      if (dependency !== undefined) return dependency.stream(stream, signal && { signal });
      const whole = createDeadline({ parent: signal });
      const first = (next: () => Promise<IteratorResult<C>>): Promise<IteratorResult<C>> =>
        withTimeout(whole.remainingMs(), next, { operation: target.name, parent: signal });
      return guardStream({ open: () => within(() => openSource(whole, (its) => stream({ signal: its }), first)) });
    });
  }

  #serve(): void {
    const { chain, route } = this.#reading;
    this.visible = true;
    this.#step.end();
    const { name } = this.#target;
    const served: Served = { servedBy: name, tier: this.#tier, degraded: false, attempts: route.attempts };
    this.#reading.onServed(served);
    if (this.#tier === 'fallback') emit('fallback.used', { chain, from: route.first, to: name, reason: route.reason });
  }
}

const none: AsyncIterable<never> = { async *[Symbol.asyncIterator]() {} };
