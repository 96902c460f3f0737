import type { OperationHandlers, OperationRecord } from '@sage-adk/core';
import type { BoundGauge } from '../instruments/gauge.ts';
import type { ObservedInstruments } from './observer.ts';

/** What a request to the agent counts. */
export function agentRequests(
  metrics: ObservedInstruments,
  derived: (record: OperationRecord) => void,
): OperationHandlers<'agent.request', BoundGauge> {
  return {
    start({ start }) {
      const inFlight = metrics.agentRequestsInFlight.with(start.protocol);
      inFlight.inc();
      return inFlight;
    },
    end(record, inFlight) {
      inFlight.dec();
      derived(record);
      const { llmMs } = record.attributes;
      if (llmMs === undefined) return;
      metrics.agentOverhead.with(record.start.protocol).observe(Math.max(0, record.durationMs - llmMs) / 1_000);
    },
  };
}
