/** What the model calls of each running request cost together: they belong to a request by its id in the context. */
import type { Context, OperationRecord } from '@sage-adk/core';
import { hasUnknownCost } from './unknown-cost.ts';

interface Cost {
  nanoUsd: number;
  calls: number;
  isKnown: boolean;
}

export class RequestCosts {
  readonly #running: Map<string, Cost> = new Map();

  begin(context: Context | undefined): void {
    const id = context?.requestId;
    if (id !== undefined && !this.#running.has(id)) this.#running.set(id, { nanoUsd: 0, calls: 0, isKnown: true });
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

  /** In US dollars; undefined where a price is unknown, and where no model was called. */
  end(context: Context | undefined): number | undefined {
    const id = context?.requestId ?? '';
    const cost = this.#running.get(id);
    this.#running.delete(id);
    return cost === undefined || cost.calls === 0 || !cost.isKnown ? undefined : cost.nanoUsd / 1e9;
  }
}
