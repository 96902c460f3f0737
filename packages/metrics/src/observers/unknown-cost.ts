import type { EndOf, OperationRecord } from '@sage-adk/core';

/** Whether a call has a cost that nobody knows. One that failed before any token has none to be unknown. */
export function hasUnknownCost({
  attributes,
  outcome,
}: Pick<OperationRecord<'llm.call'>, 'attributes' | 'outcome'>): boolean {
  return attributes.costNanoUsd === undefined && (outcome === 'ok' || answeredInPart(attributes));
}

function answeredInPart({ inputTokens, outputTokens, firstTokenMs }: EndOf<'llm.call'>): boolean {
  return inputTokens !== undefined || outputTokens !== undefined || firstTokenMs !== undefined;
}
