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

export function isAsk(message: unknown): message is Ask {
  return kindOf(message) === '@sage-adk/metrics/ask';
}

export function isReport(message: unknown): message is Report {
  return kindOf(message) === '@sage-adk/metrics/report';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
}
