/** One example for each bucket of the histograms of requests and model calls: the last sampled trace that fell into it. */
import { type Clock, observe, type Observer, type OperationRecord, systemClock, trace } from '@sage-adk/core';
import { agentRequestDuration, llmCallDuration } from '../table/derived.ts';

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  readonly atMs: number;
}

export interface ExemplarSource {
  /** The example of a bucket, by the metric and the bucket's labels, `le` among them. */
  at(metric: string, labels: Readonly<Record<string, string>>): Exemplar | undefined;
}

export interface Exemplars extends ExemplarSource, Disposable {}

export interface ExemplarOptions {
  /** Most series of which examples are kept. @default 1000 */
  readonly maxSeries?: number;
  readonly clock?: Clock;
}

/** Collects examples from sampled traces, until it is disposed. Without an observer that traces there are none. */
export function collectExemplars({ maxSeries = 1_000, clock = systemClock }: ExemplarOptions = {}): Exemplars {
  const series = new Map<string, Map<string, Exemplar>>();
  const keep = (row: Row, values: readonly string[], record: OperationRecord): void => {
    const ids = trace(record);
    if (ids?.sampled !== true) return;
    const key = JSON.stringify([row.name, ...values]);
    let buckets = series.get(key);
    if (buckets === undefined) {
      if (series.size >= maxSeries) return;
      series.set(key, (buckets = new Map()));
    }
    const value = record.durationMs / 1_000;
    const bound = row.buckets.find((upper) => value <= upper);
    const { traceId, spanId } = ids;
    buckets.set(bound === undefined ? '+Inf' : String(bound), { traceId, spanId, value, atMs: clock.now() });
  };
  const observer: Observer = {
    name: 'exemplars',
    operations: {
      'agent.request': {
        end(record) {
          const { protocol, method } = record.start;
          keep(agentRequestDuration, [protocol, method, record.outcome], record);
        },
      },
      'llm.call': {
        end(record) {
          const { provider, model } = record.start;
          keep(llmCallDuration, [provider, model, record.outcome], record);
        },
      },
    },
  };
  const subscription = observe(observer);
  return {
    at(metric, { le = '', ...labels }) {
      const row = rows.find(({ name }) => name === metric);
      if (row === undefined || le === '') return undefined;
      return series.get(JSON.stringify([metric, ...row.labels.map((label) => labels[label])]))?.get(le);
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

interface Row {
  readonly name: string;
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
}

const rows: readonly Row[] = [agentRequestDuration, llmCallDuration];
