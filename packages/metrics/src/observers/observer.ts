import type {
  EventName,
  Events,
  Observer,
  OperationHandlers,
  OperationName,
  OperationRecord,
  Outcome,
  StartOf,
} from '@sage-adk/core';
import type { BoundCounter } from '../instruments/counter.ts';
import type { Instruments } from '../instruments/from-table.ts';
import type { BoundHistogram } from '../instruments/histogram.ts';
import type { observedMetrics } from '../table.ts';
import { agentRequests } from './agent.ts';
import { llmCalls } from './llm.ts';

/** The instruments that operations and events feed. */
export type ObservedInstruments = Instruments<typeof observedMetrics>;

/** Watches every operation and event, those of the user too, and counts them. */
export function createObserver(metrics: ObservedInstruments): Observer {
  const anyOperation: OperationHandlers = { end: (record) => time(metrics, record) };
  return {
    name: 'metrics',
    operations: {
      'agent.request': agentRequests(metrics),
      'llm.call': llmCalls(metrics),
      'agent.middleware': middlewares(metrics),
      'health.check': healthChecks(metrics),
      'limiter.check': timed(metrics, ({ store }, outcome) => metrics.limiterCheckDuration.with(store, outcome)),
      'queue.wait': timed(metrics, ({ queue }, outcome) => metrics.queueWaitDuration.with(queue, outcome)),
    },
    operation: () => anyOperation,
    events: {
      'agent.state': agentStates(metrics),
      'lease.expired': counted(metrics, 'lease.expired', ({ rule }) => metrics.limiterLeasesExpired.with(rule)),
      'budget.exhausted': counted(metrics, 'budget.exhausted', ({ rule, handling }) =>
        metrics.limiterBudgetExhausted.with(rule, handling),
      ),
    },
    event: (name) => () => metrics.events.with(name).inc(),
  };
}

function time(
  metrics: ObservedInstruments,
  { name, outcome, durationMs }: Pick<OperationRecord, 'name' | 'outcome' | 'durationMs'>,
): void {
  metrics.operationDuration.with(name, outcome).observe(durationMs / 1_000);
}

/** An operation that has a histogram of its own as well. */
function timed<N extends OperationName>(
  metrics: ObservedInstruments,
  histogramOf: (start: StartOf<N>, outcome: Outcome) => BoundHistogram,
): OperationHandlers<N> {
  return {
    end(record) {
      time(metrics, record);
      histogramOf(record.start, record.outcome).observe(record.durationMs / 1_000);
    },
  };
}

/** An event that has a counter of its own as well. */
function counted<E extends EventName>(
  metrics: ObservedInstruments,
  name: E,
  counterOf: (event: Events[E]) => BoundCounter,
): (event: Events[E]) => void {
  return (event) => {
    metrics.events.with(name).inc();
    counterOf(event).inc();
  };
}

function middlewares(metrics: ObservedInstruments): OperationHandlers<'agent.middleware'> {
  return {
    end(record) {
      time(metrics, record);
      const { middleware } = record.start;
      const { beforeMs, afterMs } = record.attributes;
      if (beforeMs !== undefined) metrics.middlewareDuration.with(middleware, 'before').observe(beforeMs / 1_000);
      if (afterMs !== undefined) metrics.middlewareDuration.with(middleware, 'after').observe(afterMs / 1_000);
    },
  };
}

function healthChecks(metrics: ObservedInstruments): OperationHandlers<'health.check'> {
  return {
    end(record) {
      time(metrics, record);
      const { status } = record.attributes;
      if (status !== undefined) metrics.healthCheckUp.with(record.start.check).set(status === 'fail' ? 0 : 1);
    },
  };
}

function agentStates(metrics: ObservedInstruments): (event: { readonly from: string; readonly to: string }) => void {
  return ({ from, to }) => {
    metrics.events.with('agent.state').inc();
    metrics.agentState.with(from).set(0);
    metrics.agentState.with(to).set(1);
  };
}
