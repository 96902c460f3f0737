/**
 * What the model calls of each running request cost together: they belong to a request by its id in the context. While several run under one id nobody knows which call is
 * whose, so the cost of none of them is known.
 */
import type { Context, OperationRecord } from '@sage-adk/core';
import { hasUnknownCost } from './unknown-cost.ts';

interface Cost {
  /** That run under the id. */
  requests: number;
  nanoUsd: number;
  calls: number;
  isKnown: boolean;
}

export class RequestCosts {
  readonly #running: Map<string, Cost> = new Map();

  begin(context: Context | undefined): void {
    const id = context?.requestId;
    if (id === undefined) return;
    const { requests } = this.#running.get(id) ?? { requests: 0 };
    this.#running.set(id, { requests: requests + 1, nanoUsd: 0, calls: 0, isKnown: requests === 0 });
  }

  add(record: OperationRecord<'llm.call'>): void {
    const cost = this.#running.get(record.context?.requestId ?? '');
    if (cost === undefined) return;
    const { costNanoUsd } = record.attributes;
    if (costNanoUsd !== undefined) {
      cost.nanoUsd += Number(costNanoUsd);
      cost.calls++;
    } else if (hasUnknownCost(record)) cost.isKnown = false;
  }

  /** In US dollars; undefined where a price or a call's request is unknown, and where no model was called. */
  end(context: Context | undefined): number | undefined {
    const id = context?.requestId ?? '';
    const cost = this.#running.get(id);
    if (cost === undefined) return undefined;
    if (--cost.requests === 0) this.#running.delete(id);
    return cost.calls > 0 && cost.isKnown ? cost.nanoUsd / 1e9 : undefined;
  }
}
