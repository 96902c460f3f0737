import type { Observer, OperationName, OperationRecord, Outcome } from '@sage-adk/core';
import type { BoundCounter } from '../instruments/counter.ts';
import type { BoundHistogram } from '../instruments/histogram.ts';
import type { Instruments } from '../instruments/from-table.ts';
import type { observedMetrics } from '../table/observed.ts';
import { agentRequests } from './agent.ts';
import type { Derived } from './derived.ts';
import { llmCalls } from './llm.ts';
import { RequestCosts } from './request-costs.ts';

/** The instruments that operations and events feed through code of their own. */
export type ObservedInstruments = Instruments<typeof observedMetrics>;

/** Watches every operation and event, those of the user too, and counts them. */
export function createObserver(metrics: ObservedInstruments, derived: Derived): Observer {
  const more: { readonly [N in OperationName]?: (record: OperationRecord<N>) => void } = {
    'agent.middleware': (record) => countMiddleware(metrics, record),
    'health.check': (record) => countHealthCheck(metrics, record),
    'retry.attempt': (record) => countRetry(metrics, record),
  };
  const costs = new RequestCosts();
  return {
    name: 'metrics',
    operations: {
      'agent.request': agentRequests(metrics, costs, derived.operation('agent.request')),
      'llm.call': llmCalls(metrics, costs, derived.operation('llm.call')),
    },
    operation(name) {
      const count = derived.operation(name);
      // The name says of which operation the record is.
      const own = (more as Readonly<Record<string, ((record: OperationRecord) => void) | undefined>>)[name];
      // Found once for each outcome.
      const durations: Partial<Record<Outcome, BoundHistogram>> = {};
      return {
        end(record) {
          const { outcome } = record;
          durations[outcome] ??= metrics.operationDuration.with(name, outcome);
          durations[outcome].observe(record.durationMs / 1_000);
          count(record);
          own?.(record);
        },
      };
    },
    event(name) {
      const count = derived.event(name);
      // Asked for the names of operations as well, which must not get a series here.
      let counter: BoundCounter | undefined;
      return (event) => {
        counter ??= metrics.events.with(name);
        counter.inc();
        // Events are flat, and what is no text as a label is never named as one.
        count(event as Parameters<typeof count>[0]);
        if (name === 'agent.state') showState(metrics, event as { readonly from: string; readonly to: string });
      };
    },
  };
}

function countMiddleware(
  metrics: ObservedInstruments,
  { start, attributes }: OperationRecord<'agent.middleware'>,
): void {
  const { beforeMs, afterMs } = attributes;
  if (beforeMs !== undefined) metrics.middlewareDuration.with(start.middleware, 'before').observe(beforeMs / 1_000);
  if (afterMs !== undefined) metrics.middlewareDuration.with(start.middleware, 'after').observe(afterMs / 1_000);
}

function countHealthCheck(metrics: ObservedInstruments, { start, attributes }: OperationRecord<'health.check'>): void {
  const { status } = attributes;
  if (status !== undefined) metrics.healthCheckUp.with(start.check).set(status === 'fail' ? 0 : 1);
}

/** A failed try after which there is no wait was the last. */
function countRetry(metrics: ObservedInstruments, record: OperationRecord<'retry.attempt'>): void {
  const { start, outcome, attributes } = record;
  const { dependency, attempt } = start;
  if (outcome === 'ok') metrics.retryCalls.with(dependency, attempt === 1 ? 'first_try' : 'recovered').inc();
  else if (attributes.delayMs === undefined) metrics.retryCalls.with(dependency, 'failed').inc();
}

function showState(metrics: ObservedInstruments, { from, to }: { readonly from: string; readonly to: string }): void {
  metrics.agentState.with(from).set(0);
  metrics.agentState.with(to).set(1);
}
