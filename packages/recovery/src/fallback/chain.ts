import { AsyncLocalStorage } from 'node:async_hooks';
import { current, emit, operate, requireOption } from '@sage-adk/core';
import { messageOf } from '../classify/bag.ts';
import { type Classifier, createClassifier } from '../classify/classifier.ts';
import { fallbackErrors } from './errors.ts';
import type { Outcome, Served } from './outcome.ts';
import type { ResponseTier } from './response-tier.ts';
import { Route } from './route.ts';
import { requireOneOf } from '../policy/one-of.ts';
import { type ChainReading, type CutRule, isCutRule, readChain } from './stream.ts';
import { ordered, type Target, type TargetOrder } from './target.ts';

export interface FallbackOptions<I, O, C = unknown> {
  /** In errors and observers; one of few. */
  readonly name: string;
  readonly targets: readonly Target<I, O, C>[];
  /** @default 'priority' */
  readonly order?: TargetOrder<Target<I, O, C>, I>;
  /** A target that may not serve an input is passed over, for instance one whose window is too small. */
  readonly mayServe?: (input: I, target: Target<I, O, C>) => boolean;
  /** The most that a call may cost now; dearer targets are passed over. For what is left of a budget. @default Infinity */
  readonly maxCost?: (input: I) => number;
  /** `larger` asks only targets with a larger window next. @default 'larger' */
  readonly onContextLength?: 'larger' | 'fail';
  /** Whether another model may be asked what one refused. @default 'fail' */
  readonly onContentPolicy?: 'fail' | 'next';
  /** Asked in order where no target answered. */
  readonly responses?: readonly ResponseTier<I, O>[];
  /** Lets response tiers answer streams. */
  readonly chunksOf?: (value: O) => Iterable<C>;
  readonly classifier?: Classifier;
}

export interface FallbackCallOptions {
  /** @default the context's signal */
  readonly signal?: AbortSignal;
}

export interface FallbackStreamOptions<I, C> extends FallbackCallOptions {
  /** Whether a reader has seen something of the answer with this chunk; until then targets change silently. @default every chunk */
  readonly isVisible?: (chunk: C) => boolean;
  /** What happens where a stream breaks off after something was seen. @default 'throw' */
  readonly onCut?: CutRule<I, C>;
}

/** A stream that can say who serves it. */
export interface FallbackStream<C> extends AsyncIterable<C> {
  /** Undefined until the first visible chunk. */
  readonly served: Served | undefined;
}

export interface FallbackChain<I, O, C = unknown> {
  /**
   * Asks the targets in order until one answers, then the response tiers. Each is a `fallback.step` operation; an answer of any but the first is a
   * `fallback.used` event. Throws the error of a target where another would say the same (a bad request, an abort, a refusal), else
   * `SAGE_FALLBACK_NO_TARGET` with all errors as its cause, and then and before response tiers emits `error.critical`.
   */
  execute(input: I, options?: FallbackCallOptions): Promise<Outcome<O>>;
  /**
   * The same for streams. Once something was seen, nobody else serves unless `onCut` says so, and nothing but an answer that begins anew follows it.
   * A source that ignores its signal is left at the signal and the deadline of where the stream was made.
   */
  stream(input: I, options?: FallbackStreamOptions<I, C>): FallbackStream<C>;
}

/**
 * Makes a chain of targets and response tiers.
 *
 * @example
 * ```ts
 * const chain = createFallbackChain({
 *   name: 'chat',
 *   targets: [
 *     { name: 'gpt', dependency: openai, call: (prompt: string, { signal }) => askOpenai(prompt, signal) },
 *     { name: 'claude', dependency: anthropic, call: (prompt: string, { signal }) => askAnthropic(prompt, signal) },
 *   ],
 *   responses: [staticResponse('I cannot answer now. Please try again in a minute.')],
 * });
 * const { value, servedBy, degraded } = await chain.execute('Hello');
 * ```
 */
export function createFallbackChain<I, O, C = unknown>(options: FallbackOptions<I, O, C>): FallbackChain<I, O, C> {
  const {
    name,
    targets,
    order = 'priority',
    mayServe = () => true,
    maxCost = () => Number.POSITIVE_INFINITY,
  } = options;
  const { onContextLength = 'larger', onContentPolicy = 'fail', classifier = createClassifier() } = options;
  if (typeof order !== 'function') requireOneOf('order', order, ['priority', 'cost', 'quality']);
  requireOneOf('onContextLength', onContextLength, ['larger', 'fail']);
  requireOneOf('onContentPolicy', onContentPolicy, ['fail', 'next']);
  requireOption('targets', targets.length, 'at least one target', (length) => length > 0);
  requireOption('targets', targets.map((target) => target.name).join(', '), 'of different names', () => {
    return new Set(targets.map((target) => target.name)).size === targets.length;
  });
  const routeOf = (input: I, signal: AbortSignal | undefined): Route<I, O, C> => {
    const all = ordered(targets, order, input);
    const most = maxCost(input);
    const fit = all.filter((target) => (target.cost ?? 0) <= most && mayServe(input, target));
    return new Route(fit, { onContextLength, onContentPolicy, classifier, signal }, all[0]?.name ?? '');
  };
  return {
    async execute(input, { signal = current()?.signal } = {}) {
      const route = routeOf(input, signal);
      for (let target = route.next(); target !== undefined; target = route.next()) {
        const answer = await ask(name, route, target, input, signal);
        if (answer !== undefined) return answer;
      }
      return respond(options, route, input, signal);
    },
    stream: (input, reading = {}) => {
      const { signal = current()?.signal } = reading;
      return streamOf(options, input, signal, reading, () => routeOf(input, signal));
    },
  };
}

function streamOf<I, O, C>(
  options: FallbackOptions<I, O, C>,
  input: I,
  signal: AbortSignal | undefined,
  { isVisible = () => true, onCut = 'throw' }: FallbackStreamOptions<I, C>,
  routeOf: () => Route<I, O, C>,
): FallbackStream<C> {
  const { name, targets, chunksOf } = options;
  requireOption('onCut', onCut, '"throw", { continueWith } or { restartWith }', isCutRule);
  const within = AsyncLocalStorage.snapshot() as ChainReading<I, O, C>['within'];
  let last: Served | undefined;
  return {
    get served() {
      return last;
    },
    [Symbol.asyncIterator]: () =>
      readChain({
        chain: name,
        route: routeOf(),
        input,
        signal,
        within,
        isVisible,
        onCut,
        onServed: (served) => void (last = served),
        async respond(route) {
          if (chunksOf === undefined) throw exhausted(name, route, targets.length);
          const { value, ...served } = await respond(options, route, input, signal);
          return { chunks: chunksOf(value), served };
        },
      }),
  };
}

/** One target; undefined where it failed and the next may be asked. */
function ask<I, O, C>(
  chain: string,
  route: Route<I, O, C>,
  target: Target<I, O, C>,
  input: I,
  signal: AbortSignal | undefined,
): Promise<Outcome<O> | undefined> {
  const tier = target.name === route.first ? 'primary' : 'fallback';
  return operate('fallback.step', { chain, target: target.name, tier }, async (operation) => {
    try {
      signal?.throwIfAborted();
      const value = await call(target, input, signal);
      if (tier === 'fallback')
        emit('fallback.used', { chain, from: route.first, to: target.name, reason: route.reason });
      return { value, servedBy: target.name, tier, degraded: false, attempts: route.attempts } as const;
    } catch (error) {
      const classification = route.classify(error);
      operation.set({ reason: classification.reason });
      // What has a dependency tells it itself, try by try.
      if (target.dependency === undefined && classification.category === 'critical')
        emit('error.critical', { source: target.name, reason: classification.reason, message: messageOf(error) });
      route.failed(error, classification);
      operation.settle(classification.reason === 'rejected' ? 'denied' : 'error', error);
      return undefined;
    }
  });
}

function call<I, O, C>(target: Target<I, O, C>, input: I, signal: AbortSignal | undefined): PromiseLike<O> | O {
  const { dependency } = target;
  if (dependency === undefined) return target.call(input, { signal: signal ?? neverAborts });
  return dependency.execute((context) => target.call(input, context), signal && { signal });
}

const neverAborts = new AbortController().signal;

/** The first response tier that has an answer; a tier that fails has none. */
async function respond<I, O, C>(
  { name, targets, responses = [] }: FallbackOptions<I, O, C>,
  route: Route<I, O, C>,
  input: I,
  signal: AbortSignal | undefined,
): Promise<Outcome<O>> {
  const failure = exhausted(name, route, targets.length);
  for (const response of responses) {
    const { tier } = response;
    const answer = await operate('fallback.step', { chain: name, target: tier, tier }, async (operation) => {
      try {
        const found = await response.answer(input, signal);
        operation.set({ degraded: found?.degraded ?? false, ...(found === undefined && { reason: 'no answer' }) });
        return found;
      } catch (error) {
        operation.settle('error', error);
        return undefined;
      }
    });
    if (answer === undefined) continue;
    emit('fallback.used', { chain: name, from: route.first, to: tier, reason: route.reason });
    return { ...answer, servedBy: tier, tier, attempts: route.attempts };
  }
  throw failure;
}

function exhausted<I, O, C>(chain: string, route: Route<I, O, C>, targets: number): Error {
  const failure = fallbackErrors.NO_TARGET({ chain, targets }, { cause: route.cause });
  emit('error.critical', { source: chain, reason: 'provider_down', message: failure.message });
  return failure;
}
