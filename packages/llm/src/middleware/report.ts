import {
  begin,
  type EndOf,
  type LlmCallMark,
  type OpenOperation,
  type PricePort,
  run as inContext,
  type Usage,
  verdictOf,
} from '@sage-adk/core';
import { partialUsage } from '../body/partial-usage.ts';
import type { Ending, Progress } from '../body/progress.ts';
import type { CallReport, LlmCall } from '../call.ts';
import { recordable, refusalOf } from '../failure.ts';
import { costOf } from '../price/cost.ts';
import { InnerMark } from './inner-mark.ts';

type Facts = EndOf<'llm.call'>;

/** The report of the outermost layer: one operation, from the moment the call goes out until its answer ended. */
export class OwnReport implements CallReport, LlmCallMark {
  readonly #call: LlmCall;
  readonly #price: PricePort | undefined;
  readonly steps: ReadonlySet<string>;
  #operation: OpenOperation<'llm.call'> | undefined;
  #startedMs = 0;
  #learned: Facts = {};
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

  /** Never begun, it is not reported. */
  free(): void {}

  begin<T>(run: () => T): T {
    const { provider, api, model, stream } = this.#call;
    this.open = true;
    this.#startedMs = performance.now();
    this.#operation = begin('llm.call', { provider, model, api, stream });
    return this.#operation.run(() => inContext({ llmCall: this }, run));
  }

  learn(facts: Facts): void {
    if (this.open) this.#learned = { ...this.#learned, ...facts };
  }

  failed(error: unknown): void {
    this.#end(this.#learned, this.#call.signal?.aborted === true ? toCancelled(error) : { kind: 'failed', error });
  }

  answered(progress: Progress): void {
    const operation = this.#operation;
    if (operation === undefined) return;
    progress.onEnd((ending) => {
      // Only now: a client that tries again may have made a success of a failure.
      const { refusal } = progress;
      if (refusal !== undefined) operation.settle('error', refusalOf(refusal, this.#call.provider));
      const facts = refusal === undefined && !this.isFree ? factsFrom(progress, ending, this.#call) : {};
      const { firstContentAtMs } = progress;
      const firstTokenMs = firstContentAtMs === undefined ? undefined : firstContentAtMs - this.#startedMs;
      this.#end(
        { ...this.#learned, ...facts, ...(firstTokenMs !== undefined && { firstTokenMs }) },
        ending,
        refusal !== undefined,
      );
    });
  }

  #end(facts: Facts, ending: Ending, isRefused = false): void {
    const operation = this.#operation;
    if (operation === undefined || !this.open) return;
    this.open = false;
    const costNanoUsd = facts.costNanoUsd ?? this.#costOf(facts);
    operation.set({
      ...facts,
      ...(costNanoUsd !== undefined && { costNanoUsd }),
      ...(this.attempts > 0 && { attempts: this.attempts }),
    });
    if (ending.kind === 'failed') {
      operation.fail(recordable(ending.error, this.#call.provider));
      return;
    }
    // SDKs drop the body of an error unread: it stays an error.
    if (ending.kind === 'cancelled' && !isRefused) {
      const isLate = verdictOf(ending.reason).outcome === 'timeout';
      operation.settle(isLate ? 'timeout' : 'cancelled', ending.reason);
    }
    operation.end();
  }

  #costOf({ inputTokens, outputTokens, ...parts }: Facts): bigint | undefined {
    if (inputTokens === undefined || outputTokens === undefined) return undefined;
    const { provider, model } = this.#call;
    const usage = { ...usageParts(parts), inputTokens, outputTokens };
    return costOf(this.#price, { provider, models: [parts.responseModel, model], usage });
  }
}

/** The report of a layer inside another: it adds what it learned to the report of that one. */
export class InnerReport implements CallReport {
  readonly #call: LlmCall;
  readonly mark: InnerMark;
  isFree = false;

  constructor(call: LlmCall, steps: ReadonlySet<string>, outer: LlmCallMark) {
    this.#call = call;
    this.mark = new InnerMark(outer, steps);
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

  free(): void {
    this.isFree = true;
    this.mark.learn({ costNanoUsd: 0n });
  }

  failed(): void {}

  answered(progress: Progress): void {
    progress.onEnd((ending) => {
      if (progress.refusal === undefined) this.mark.learn(factsFrom(progress, ending, this.#call));
    });
  }
}

function factsFrom(progress: Progress, ending: Ending, call: LlmCall): Facts {
  const { usage, model, finishReason } = progress.facts();
  const used = ending.kind === 'done' ? usage : partialUsage(progress, call);
  return {
    ...used,
    ...(model !== undefined && { responseModel: model }),
    ...(finishReason !== undefined && { finishReason }),
  };
}

function usageParts(facts: Facts): Partial<Usage> {
  const { cachedInputTokens, cacheWriteTokens, longCacheWriteTokens, reasoningTokens } = facts;
  return {
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
    ...(longCacheWriteTokens !== undefined && { longCacheWriteTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}

/** Aborted with a reason of the caller's own: whatever came of that, it was the caller's wish. */
function toCancelled(error: unknown): Ending {
  return verdictOf(error).outcome === 'denied' ? { kind: 'failed', error } : { kind: 'cancelled', reason: error };
}
