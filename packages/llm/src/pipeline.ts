/** The steps around a call, in their one order. Each is there only where something is plugged in for it. */
import {
  type BreakerPolicy,
  current,
  type LimiterPolicy,
  type LimitSubject,
  type LlmCallMark,
  type Middleware,
  type Named,
  type PricePort,
  requireOption,
  requireWhole,
  type RetryPolicy,
} from '@sage-adk/core';
import type { LlmAnswer, LlmCall } from './call.ts';
import { breaker } from './middleware/breaker.ts';
import type { AnswerCache } from './middleware/cache.ts';
import { observe } from './middleware/observe.ts';
import { reserve } from './middleware/reserve.ts';
import { type ClientHabits, type ClientTries, counting, createClientTries } from './middleware/client-tries.ts';
import { retry } from './middleware/retry.ts';
import { stall, type StallOptions } from './middleware/stall.ts';
import { type UnknownPrice, withAssumed } from './price/unknown-price.ts';

/** What happens around each call of a model. Every member is optional. */
export interface LlmPolicies {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort;
  /** The name under which calls are reported, limited and priced, for who speaks another provider's API. @default what the path tells */
  readonly provider?: string;
  /** Takes from its limits what a call may use at most, before it goes out, and settles with what it used. */
  readonly limiter?: LimiterPolicy;
  /** Answers from earlier calls. What it answers is no call and costs nothing. */
  readonly cache?: AnswerCache;
  /** Who is limited. @default the user, tenant and principal of the context */
  readonly subject?: (call: CallFacts) => LimitSubject;
  /**
   * What to do with a call whose price nobody knows, where a limit of money applies; a limiter that cannot tell counts as one where there is a price book.
   * `refuse` answers 422, `allow` lets it out uncounted, `assume` limits it by this price. Its report has no cost either way. @default 'refuse'
   */
  readonly unknownPrice?: UnknownPrice;
  /** Whether a limit that has less left than a request asks for grants fewer output tokens, in place of a denial. @default false */
  readonly clamp?: boolean;
  /** Output tokens that a request may use which names no limit: it gets this one, where there is a limiter. @default 16_384 */
  readonly defaultOutputTokens?: number;
  /** The most output tokens that a model ever makes, where you know. A request is never told to ask for more. @default unknown */
  readonly maxOutputTokens?: (call: CallFacts) => number | undefined;
  /** What the estimate of input tokens is multiplied by, before they are reserved. @default 1, with Anthropic 1.3 */
  readonly inputMargin?: number;
  /** Gives a provider a rest that failed too often. */
  readonly breaker?: BreakerPolicy;
  /** Tries again, until the first content. Tell the SDK not to: `maxRetries: 0`. */
  readonly retry?: RetryPolicy;
  /** Ends what does not come along. */
  readonly stall?: StallOptions;
}

/** What is known of a call before it goes out. */
export type CallFacts = Pick<LlmCall, 'provider' | 'api' | 'model' | 'stream'>;

/** How a kind of call does what the steps leave to it. */
export interface Kind<C extends LlmCall, R> {
  /** Makes the call. */
  readonly send: (call: C) => Promise<LlmAnswer<R>>;
  /** What the client gets in place of an error; throws the error where that is it. @default it throws */
  readonly instead?: (error: unknown) => R;
  /** The same answer, telling the client that trying again is of no use. */
  readonly asLast: (answer: LlmAnswer<R>) => LlmAnswer<R>;
  /** Of clients that try again by themselves; missing where none can. */
  readonly client?: ClientHabits<C>;
  /** The most that a model ever answers, where it is known. */
  readonly maxOutputOf: (call: LlmCall) => number | undefined;
  /** A step between observing and reserving. */
  readonly cache?: Middleware<C, LlmAnswer<R>>;
}

/** The names of the steps, outermost first. */
export const order = ['observe', 'cache', 'reserve', 'breaker', 'retry', 'stall'] as const;

export function createPipeline<C extends LlmCall, R>(policies: LlmPolicies, kind: Kind<C, R>): (call: C) => Promise<R> {
  const { instead = rethrow } = kind;
  const tries =
    policies.retry === undefined && kind.client !== undefined
      ? createClientTries<C, R>({ dependencyOf, ...kind.client })
      : undefined;
  const steps = stepsOf(policies, kind, tries);
  const done = new Set(['observe', ...steps.map(({ name }) => name)]);
  // Each layer begins something, and only a try that was counted needs no other count.
  done.delete(beginning);
  done.delete(counting);
  const observed = observe<C, R>({ price: policies.price, steps: done, instead });
  const rest = steps.reduceRight<(call: C) => Promise<LlmAnswer<R>>>(
    (next, { name, middleware }) =>
      (call) =>
        // Each step is done once, by the outermost layer that has it.
        isDone(name, call.outer) ? next(call) : middleware(call, next),
    kind.send,
  );
  return (call) => {
    const resumed = tries?.resume(call);
    const made = resumed === undefined ? observed(call, rest) : resumed.then(({ result }) => result, instead);
    const { caller } = call;
    return caller === undefined ? made : made.finally(() => caller.leave());
  };
}

function rethrow(error: unknown): never {
  throw error;
}

/** In every layer; what begins there is a call or a try. */
const beginning = 'begin';

function isDone(name: string, outer: LlmCallMark | undefined): boolean {
  return outer !== undefined && (outer.steps.has(name) || (name === counting && outer.steps.has('retry')));
}

type Step<C, R> = Named<Middleware<C, LlmAnswer<R>>>;

function stepsOf<C extends LlmCall, R>(
  policies: LlmPolicies,
  kind: Kind<C, R>,
  tries: ClientTries<C, R> | undefined,
): readonly Step<C, R>[] {
  const { price, limiter, breaker: breakerPolicy, retry: retryPolicy, stall: limits } = policies;
  const steps: Step<C, R>[] = [];
  const add = (name: (typeof order)[number], middleware: Middleware<C, LlmAnswer<R>>): void => {
    steps.push({ name, middleware });
  };
  if (kind.cache !== undefined) add('cache', kind.cache);
  steps.push({ name: beginning, middleware: begin });
  if (limiter !== undefined) {
    const { subject = subjectOf, unknownPrice = 'refuse', clamp = false, defaultOutputTokens = 16_384 } = policies;
    const { maxOutputTokens: mostOf } = policies;
    requireOption('unknownPrice', unknownPrice, '"refuse", "allow" or { assume }', isKnownWord);
    requireWhole('defaultOutputTokens', defaultOutputTokens, 1);
    add(
      'reserve',
      reserve({
        limiter,
        price: withAssumed(price, unknownPrice),
        subjectOf: subject,
        allowsUnknown: unknownPrice !== 'refuse',
        clamps: clamp,
        defaultOutputTokens,
        maxOutputOf: mostOf === undefined ? kind.maxOutputOf : (asked) => toLimit(mostOf(asked)),
      }),
    );
  }
  if (breakerPolicy !== undefined) add('breaker', breaker({ breaker: breakerPolicy, dependencyOf }));
  if (retryPolicy !== undefined) add('retry', retry({ retry: retryPolicy, dependencyOf, asLast: kind.asLast }));
  if (tries !== undefined) steps.push({ name: counting, middleware: tries.middleware });
  if (limits !== undefined) add('stall', stall(limits));
  return steps;
}

/** What the cache did not answer goes out, and is a call from here on. */
function begin<C extends LlmCall, R>(call: C, next: (call: C) => Promise<LlmAnswer<R>>): Promise<LlmAnswer<R>> {
  return call.report === undefined ? next(call) : call.report.begin(() => next(call));
}

function isKnownWord(unknown: UnknownPrice): boolean {
  return typeof unknown === 'string' ? unknown === 'refuse' || unknown === 'allow' : unknown?.assume != null;
}

/** What a caller's function says, where it can be a limit. */
function toLimit(most: number | undefined): number | undefined {
  return Number.isSafeInteger(most) && Number(most) > 0 ? most : undefined;
}

function dependencyOf({ provider }: LlmCall): string {
  return `llm.${provider}`;
}

function subjectOf({ provider, model }: CallFacts): LimitSubject {
  const { userId, tenant, principal } = current() ?? {};
  return {
    provider,
    model,
    ...(userId !== undefined && { user: userId }),
    ...(tenant !== undefined && { tenant }),
    ...(principal !== undefined && { principal }),
  };
}
