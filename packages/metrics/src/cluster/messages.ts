/** What goes between a process that shows metrics and its workers. */
import type { MetricSnapshot } from './snapshot.ts';

/** Asks for the numbers of now. */
export interface Ask {
  readonly kind: '@sage-adk/metrics/ask';
  /** Threads all hear it; of cluster workers only the one that it is sent to. */
  readonly to?: number;
}

/** The numbers of a worker, whether it was asked or not. */
export interface Report {
  readonly kind: '@sage-adk/metrics/report';
  /** The thread that it comes from. */
  readonly from?: number;
  readonly snapshots: readonly MetricSnapshot[];
}

/** JSON, which cluster workers speak, has no number that is not finite: as text it comes through. */
export function withTexts(snapshots: Report['snapshots']): Report['snapshots'] {
  return withValues(snapshots, (value) => (Number.isFinite(value) ? value : String(value)));
}

/** The numbers of {@link withTexts}. */
export function withNumbers(snapshots: Report['snapshots']): Report['snapshots'] {
  return withValues(snapshots, Number);
}

function withValues(snapshots: Report['snapshots'], convert: (value: number) => unknown): Report['snapshots'] {
  return snapshots.map((snapshot) => {
    const samples = snapshot.samples.map((sample) => {
      const value = convert(sample.value) as number;
      return value === sample.value ? sample : { ...sample, value };
    });
    return { ...snapshot, samples };
  });
}

export function isAsk(message: unknown): message is Ask {
  return kindOf(message) === '@sage-adk/metrics/ask';
}

export function isReport(message: unknown): message is Report {
  return kindOf(message) === '@sage-adk/metrics/report';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
}
