import type { OperationHandlers, OperationRecord, Outcome } from '@sage-adk/core';
import type { BoundCounter } from '../instruments/counter.ts';
import type { BoundHistogram } from '../instruments/histogram.ts';
import type { CountOperation } from './derived.ts';
import type { ObservedInstruments } from './observer.ts';
import type { RequestCosts } from './request-costs.ts';
import { hasUnknownCost } from './unknown-cost.ts';

/** The cells of one model, each looked up at its first count. */
interface Cells {
  input?: BoundCounter;
  output?: BoundCounter;
  cost?: BoundCounter;
  firstToken?: BoundHistogram;
  outputToken?: BoundHistogram;
}

/** What a call of a model counts. */
export function llmCalls(
  metrics: ObservedInstruments,
  costs: RequestCosts,
  derived: CountOperation,
): OperationHandlers<'llm.call'> {
  let lastStart: OperationRecord<'llm.call'>['start'] | undefined;
  let lastOutcome: Outcome | undefined;
  let cells: Cells = {};
  return {
    end(record) {
      const { start, outcome } = record;
      // Labels are what a call says at its start, and its outcome.
      derived(record, start === lastStart && outcome === lastOutcome);
      costs.add(record);
      // Most calls are of the model of the one before.
      if (lastStart === undefined || start.model !== lastStart.model || start.provider !== lastStart.provider)
        cells = {};
      lastStart = start;
      lastOutcome = outcome;
      countTokens(metrics, cells, record);
      countCost(metrics, cells, record);
      observePace(metrics, cells, record);
    },
  };
}

function countTokens(
  metrics: ObservedInstruments,
  cells: Cells,
  { start, attributes }: OperationRecord<'llm.call'>,
): void {
  const { provider, model } = start;
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = attributes;
  if (inputTokens !== undefined) (cells.input ??= metrics.llmTokens.with(provider, model, 'input')).inc(inputTokens);
  if (outputTokens !== undefined)
    (cells.output ??= metrics.llmTokens.with(provider, model, 'output')).inc(outputTokens);
  // Subsets of the two above, so in a metric of their own: no sum over a metric counts a token twice.
  if (cachedInputTokens) metrics.llmTokenParts.with(provider, model, 'cached_input').inc(cachedInputTokens);
  if (cacheWriteTokens) metrics.llmTokenParts.with(provider, model, 'cache_write').inc(cacheWriteTokens);
  if (reasoningTokens) metrics.llmTokenParts.with(provider, model, 'reasoning').inc(reasoningTokens);
}

function countCost(metrics: ObservedInstruments, cells: Cells, record: OperationRecord<'llm.call'>): void {
  const { provider, model } = record.start;
  const { costNanoUsd } = record.attributes;
  if (costNanoUsd !== undefined) (cells.cost ??= metrics.llmCost.with(provider, model)).inc(Number(costNanoUsd));
  else if (hasUnknownCost(record)) metrics.llmCostUnknown.with(provider, model).inc();
}

function observePace(
  metrics: ObservedInstruments,
  cells: Cells,
  { start, attributes, durationMs }: OperationRecord<'llm.call'>,
): void {
  const { provider, model, stream } = start;
  const { firstTokenMs, outputTokens = 0 } = attributes;
  if (firstTokenMs === undefined) return;
  (cells.firstToken ??= metrics.llmFirstToken.with(provider, model)).observe(firstTokenMs / 1_000);
  if (!stream || outputTokens < 2) return;
  cells.outputToken ??= metrics.llmOutputToken.with(provider, model);
  cells.outputToken.observe((durationMs - firstTokenMs) / (outputTokens - 1) / 1_000);
}
