import type { Metrics } from '@sage-adk/metrics';
import type { ConfiguredMetrics } from '@sage-adk/metrics/config';
import { createSloMonitor, defineSlo, requestsAvailable, requestsWithin, slaToJson } from '@sage-adk/metrics/slo';
import type { Closing } from '../closing.ts';
import type { Report } from './reports.ts';

/**
 * Keeps the objectives that the config names.
 *
 * @returns the report on how they stand since this agent began; undefined where there are none.
 */
export function startObjectives(
  { registry }: Metrics,
  { everyMs, objectives: { availability, latency, windowDays } }: Pick<ConfiguredMetrics, 'everyMs' | 'objectives'>,
  closing: Closing,
): Report | undefined {
  const slos = [
    ...(availability === undefined
      ? []
      : [defineSlo({ name: 'agent_availability', objective: availability, windowDays, indicator: requestsAvailable })]),
    ...(latency === undefined
      ? []
      : [
          defineSlo({
            name: 'agent_latency',
            objective: latency.share,
            windowDays,
            indicator: requestsWithin(latency.withinSeconds),
          }),
        ]),
  ];
  if (slos.length === 0) return undefined;
  const monitor = closing.add(createSloMonitor({ slos, registry, everyMs }));
  return async () => slaToJson(await monitor.report());
}
