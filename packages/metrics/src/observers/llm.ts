import type { OperationHandlers, OperationRecord } from '@sage-adk/core';
import type { ObservedInstruments } from './observer.ts';
import type { RequestCosts } from './request-costs.ts';
import { hasUnknownCost } from './unknown-cost.ts';

/** What a call of a model counts. */
export function llmCalls(
  metrics: ObservedInstruments,
  costs: RequestCosts,
  derived: (record: OperationRecord) => void,
): OperationHandlers<'llm.call'> {
  return {
    end(record) {
      derived(record);
      costs.add(record);
      countTokens(metrics, record);
      countCost(metrics, record);
      observePace(metrics, record);
    },
  };
}

function countTokens(metrics: ObservedInstruments, { start, attributes }: OperationRecord<'llm.call'>): void {
  const { provider, model } = start;
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = attributes;
  if (inputTokens !== undefined) metrics.llmTokens.with(provider, model, 'input').inc(inputTokens);
  if (outputTokens !== undefined) metrics.llmTokens.with(provider, model, 'output').inc(outputTokens);
  // Subsets of the two above, so in a metric of their own: no sum over a metric counts a token twice.
  if (cachedInputTokens) metrics.llmTokenParts.with(provider, model, 'cached_input').inc(cachedInputTokens);
  if (cacheWriteTokens) metrics.llmTokenParts.with(provider, model, 'cache_write').inc(cacheWriteTokens);
  if (reasoningTokens) metrics.llmTokenParts.with(provider, model, 'reasoning').inc(reasoningTokens);
}

function countCost(metrics: ObservedInstruments, record: OperationRecord<'llm.call'>): void {
  const { provider, model } = record.start;
  const { costNanoUsd } = record.attributes;
  if (costNanoUsd !== undefined) metrics.llmCost.with(provider, model).inc(Number(costNanoUsd));
  else if (hasUnknownCost(record)) metrics.llmCostUnknown.with(provider, model).inc();
}

function observePace(
  metrics: ObservedInstruments,
  { start, attributes, durationMs }: OperationRecord<'llm.call'>,
): void {
  const { provider, model, stream } = start;
  const { firstTokenMs, outputTokens = 0 } = attributes;
  if (firstTokenMs === undefined) return;
  metrics.llmFirstToken.with(provider, model).observe(firstTokenMs / 1_000);
  if (!stream || outputTokens < 2) return;
  metrics.llmOutputToken.with(provider, model).observe((durationMs - firstTokenMs) / (outputTokens - 1) / 1_000);
}
