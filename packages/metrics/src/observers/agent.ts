import type { OperationHandlers, OperationRecord } from '@sage-adk/core';
import type { BoundGauge } from '../instruments/gauge.ts';
import type { ObservedInstruments } from './observer.ts';
import type { RequestCosts } from './request-costs.ts';

/** What a request to the agent counts. */
export function agentRequests(
  metrics: ObservedInstruments,
  costs: RequestCosts,
  derived: (record: OperationRecord) => void,
): OperationHandlers<'agent.request', BoundGauge> {
  return {
    start({ start, context }) {
      costs.begin(context);
      const inFlight = metrics.agentRequestsInFlight.with(start.protocol);
      inFlight.inc();
      return inFlight;
    },
    end(record, inFlight) {
      inFlight.dec();
      derived(record);
      const { protocol } = record.start;
      const { llmMs } = record.attributes;
      const usd = costs.end(record.context);
      if (usd !== undefined) metrics.agentRequestCost.with(protocol).observe(usd);
      if (llmMs === undefined) return;
      metrics.agentOverhead.with(protocol).observe(Math.max(0, record.durationMs - llmMs) / 1_000);
    },
  };
}
