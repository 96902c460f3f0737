import type { OperationHandlers } from '@sage-adk/core';
import type { BoundGauge } from '../instruments/gauge.ts';
import type { ObservedInstruments } from './observer.ts';

/** What a request to the agent counts. */
export function agentRequests(metrics: ObservedInstruments): OperationHandlers<'agent.request', BoundGauge> {
  return {
    start({ start }) {
      const inFlight = metrics.agentRequestsInFlight.with(start.protocol);
      inFlight.inc();
      return inFlight;
    },
    end({ start, durationMs, outcome, category = 'unknown', code = 'none' }, inFlight) {
      inFlight.dec();
      const { protocol, method, stream } = start;
      metrics.agentRequests.with(protocol, method, stream, outcome).inc();
      metrics.agentRequestDuration.with(protocol, method, outcome).observe(durationMs / 1_000);
      if (outcome === 'error' || outcome === 'timeout') metrics.agentErrors.with(protocol, category, code).inc();
    },
  };
}
