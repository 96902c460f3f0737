import type { OperationHandlers, OperationRecord } from '@sage-adk/core';
import type { BoundCounter } from '../instruments/counter.ts';
import type { BoundHistogram } from '../instruments/histogram.ts';
import type { ObservedInstruments } from './observer.ts';
import type { RequestCosts } from './request-costs.ts';
import { hasUnknownCost } from './unknown-cost.ts';

/** What a call of a model counts. */
export function llmCalls(
  metrics: ObservedInstruments,
  costs: RequestCosts,
  derived: (record: OperationRecord) => void,
): OperationHandlers<'llm.call'> {
  let last = new ModelCells(metrics, '', '');
  return {
    end(record) {
      derived(record);
      costs.add(record);
      const { provider, model } = record.start;
      if (!last.areOf(provider, model)) last = new ModelCells(metrics, provider, model);
      last.count(record);
    },
  };
}

/** The cells of one model, each looked up at its first count. Most calls are of the model of the one before. */
class ModelCells {
  readonly #metrics: ObservedInstruments;
  readonly #provider: string;
  readonly #model: string;
  #input: BoundCounter | undefined;
  #output: BoundCounter | undefined;
  #cost: BoundCounter | undefined;
  #firstToken: BoundHistogram | undefined;
  #outputToken: BoundHistogram | undefined;

  constructor(metrics: ObservedInstruments, provider: string, model: string) {
    this.#metrics = metrics;
    this.#provider = provider;
    this.#model = model;
  }

  areOf(provider: string, model: string): boolean {
    return this.#model === model && this.#provider === provider;
  }

  count(record: OperationRecord<'llm.call'>): void {
    this.#countTokens(record);
    this.#countCost(record);
    if (record.attributes.firstTokenMs !== undefined) this.#observePace(record, record.attributes.firstTokenMs);
  }

  #countTokens({ attributes }: OperationRecord<'llm.call'>): void {
    const { llmTokens, llmTokenParts } = this.#metrics;
    const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = attributes;
    if (inputTokens !== undefined)
      (this.#input ??= llmTokens.with(this.#provider, this.#model, 'input')).inc(inputTokens);
    if (outputTokens !== undefined)
      (this.#output ??= llmTokens.with(this.#provider, this.#model, 'output')).inc(outputTokens);
    // Subsets of the two above, so in a metric of their own: no sum over a metric counts a token twice.
    if (cachedInputTokens) llmTokenParts.with(this.#provider, this.#model, 'cached_input').inc(cachedInputTokens);
    if (cacheWriteTokens) llmTokenParts.with(this.#provider, this.#model, 'cache_write').inc(cacheWriteTokens);
    if (reasoningTokens) llmTokenParts.with(this.#provider, this.#model, 'reasoning').inc(reasoningTokens);
  }

  #countCost(record: OperationRecord<'llm.call'>): void {
    const { llmCost, llmCostUnknown } = this.#metrics;
    const { costNanoUsd } = record.attributes;
    if (costNanoUsd !== undefined) (this.#cost ??= llmCost.with(this.#provider, this.#model)).inc(Number(costNanoUsd));
    else if (hasUnknownCost(record)) llmCostUnknown.with(this.#provider, this.#model).inc();
  }

  #observePace({ start, attributes, durationMs }: OperationRecord<'llm.call'>, firstTokenMs: number): void {
    const { llmFirstToken, llmOutputToken } = this.#metrics;
    this.#firstToken ??= llmFirstToken.with(this.#provider, this.#model);
    this.#firstToken.observe(firstTokenMs / 1_000);
    const { outputTokens = 0 } = attributes;
    if (!start.stream || outputTokens < 2) return;
    this.#outputToken ??= llmOutputToken.with(this.#provider, this.#model);
    this.#outputToken.observe((durationMs - firstTokenMs) / (outputTokens - 1) / 1_000);
  }
}
