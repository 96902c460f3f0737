import { performance } from 'node:perf_hooks';
import {
  begin,
  type EndOf,
  type LlmCallMark,
  type OpenOperation,
  type PricePort,
  run as inContext,
  type StartOf,
  type Usage,
  verdictOf,
} from '@sage-adk/core';
import { partialUsage } from '../body/partial-usage.ts';
import type { Ending, Progress } from '../body/progress.ts';
import type { CallReport, LlmCall } from '../call.ts';
import { recordable, refusalOf } from '../failure.ts';
import { costOfAnswer } from '../price/cost.ts';
import { toUsage } from '../providers/usage.ts';
import { InnerMark, withStep } from './inner-mark.ts';

type Facts = EndOf<'llm.call'>;
type Gathered = { -readonly [N in keyof Facts]: Facts[N] };
type Start = StartOf<'llm.call'>;

const nothing: Facts = {};

/** What calls say at their start. Most say the same as the one before, and an observer that is given the same object need not read it. */
let latest: Start = { provider: '', model: '', api: '', stream: false };

function startOf({ provider, model, api, stream }: LlmCall): Start {
  const isLatest =
    model === latest.model && stream === latest.stream && api === latest.api && provider === latest.provider;
  if (!isLatest) latest = { provider, model, api, stream };
  return latest;
}

/** The report of the outermost layer: one operation, from the moment the call goes out until its answer ended. */
export class OwnReport implements CallReport, LlmCallMark {
  readonly #call: LlmCall;
  readonly #price: PricePort | undefined;
  steps: ReadonlySet<string>;
  #operation: OpenOperation<'llm.call'> | undefined;
  #startedMs = 0;
  #learned = nothing;
  /** Whether the client got an earlier answer. */
  #isServed = false;
  isClamped = false;
  renew: LlmCallMark['renew'];
  attempts = 0;
  lost = 0;
  open = false;

  constructor(call: LlmCall, steps: ReadonlySet<string>, price: PricePort | undefined) {
    this.#call = call;
    this.#price = price;
    this.steps = steps;
  }

  get mark(): LlmCallMark {
    return this;
  }

  get isFree(): boolean {
    return this.#learned.costNanoUsd === 0n;
  }

  /** Never begun, it is not reported; begun for a later one, it ends with that. */
  free(): void {
    this.#isServed = true;
  }

  does(step: string): void {
    this.steps = withStep(this.steps, step);
  }

  begin<T>(run: () => T): T {
    this.open = true;
    this.#startedMs = performance.now();
    this.#operation = begin('llm.call', startOf(this.#call));
    return this.#operation.run(() => inContext({ llmCall: this }, run));
  }

  learn(facts: Facts): void {
    if (this.open) this.#learned = this.#learned === nothing ? facts : { ...this.#learned, ...facts };
  }

  failed(error: unknown): void {
    this.#end(this.#call.signal?.aborted === true ? toCancelled(error) : { kind: 'failed', error }, {});
  }

  answered(progress: Progress): void {
    if (!this.#isServed) this.goesOn(progress);
  }

  goesOn(progress: Progress): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    progress.onEnd((ending) => {
      // Only now: a client that tries again may have made a success of a failure.
      const { refusal } = progress;
      if (refusal !== undefined) operation.settle('error', refusalOf(refusal, this.#call.provider));
      const facts = refusal === undefined && !this.isFree ? factsFrom(progress, ending, this.#call) : {};
      const { firstContentAtMs } = progress;
      if (firstContentAtMs !== undefined) facts.firstTokenMs = firstContentAtMs - this.#startedMs;
      this.#end(ending, facts, refusal !== undefined);
    });
  }

  /** @param told by the answer, and its own from here on. */
  #end(ending: Ending, told: Gathered, isRefused = false): void {
    const operation = this.#operation;
    if (operation === undefined || !this.open) return;
    this.open = false;
    const facts = this.#learned === nothing ? told : { ...this.#learned, ...told };
    if (this.attempts > 0) facts.attempts = this.attempts;
    const costNanoUsd = facts.costNanoUsd ?? this.#costOf(facts);
    if (costNanoUsd !== undefined) facts.costNanoUsd = costNanoUsd;
    if (ending.kind === 'failed') {
      operation.set(facts);
      operation.fail(recordable(ending.error, this.#call.provider));
      return;
    }
    // SDKs drop the body of an error unread: it stays an error.
    if (ending.kind === 'cancelled' && (!isRefused || ending.isAborted === true)) {
      const isLate = verdictOf(ending.reason).outcome === 'timeout';
      operation.settle(isLate ? 'timeout' : 'cancelled', ending.reason);
    }
    operation.end(facts);
  }

  #costOf(facts: Facts): bigint | undefined {
    if (this.#price === undefined) return undefined;
    const usage = usageIn(facts);
    return usage && costOfAnswer(this.#price, this.#call, facts.responseModel, usage);
  }
}

/** The report of a layer inside another: it adds what it learned to the report of that one. */
export class InnerReport implements CallReport {
  readonly #call: LlmCall;
  readonly mark: InnerMark;
  isClamped = false;

  constructor(call: LlmCall, steps: ReadonlySet<string>, outer: LlmCallMark) {
    this.#call = call;
    this.mark = new InnerMark(outer, steps);
  }

  get isFree(): boolean {
    return this.mark.isFree;
  }

  get lost(): number {
    return this.mark.lost;
  }

  set lost(count: number) {
    this.mark.lost = count;
  }

  begin<T>(run: () => T): T {
    return inContext({ llmCall: this.mark }, run);
  }

  does(step: string): void {
    this.mark.steps = withStep(this.mark.steps, step);
  }

  free(): void {
    this.mark.free();
  }

  goesOn(): void {}

  failed(): void {}

  answered(progress: Progress): void {
    progress.onEnd((ending) => {
      if (progress.refusal === undefined) this.mark.learn(factsFrom(progress, ending, this.#call));
    });
  }
}

function factsFrom(progress: Progress, ending: Ending, call: LlmCall): Gathered {
  const { usage, model, finishReason } = progress.facts();
  const isWhole = ending.kind === 'done' && (usage !== undefined || ending.isLeft !== true);
  const used = isWhole ? usage : partialUsage(progress, call);
  const facts: Gathered = { ...used };
  if (model !== undefined) facts.responseModel = model;
  if (finishReason !== undefined) facts.finishReason = finishReason;
  return facts;
}

/** Undefined where it is not known. */
function usageIn(facts: Facts): Usage | undefined {
  const { inputTokens, outputTokens } = facts;
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const { cachedInputTokens, cacheWriteTokens, longCacheWriteTokens, reasoningTokens } = facts;
  return toUsage({
    inputTokens,
    outputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    longCacheWriteTokens,
    reasoningTokens,
  });
}

/** Aborted with a reason of the caller's own: whatever came of that, it was the caller's wish. */
function toCancelled(error: unknown): Ending {
  return verdictOf(error).outcome === 'denied' ? { kind: 'failed', error } : { kind: 'cancelled', reason: error };
}
