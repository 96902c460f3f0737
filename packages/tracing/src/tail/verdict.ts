/** Why a span makes its whole trace worth keeping. */
import { SpanStatusCode } from '@opentelemetry/api';
import { costAttribute, criticalAttribute, securityAttribute } from '../spans/semantics.ts';
import { durationMs, type FinishedSpan } from './readable-span.ts';

export type KeepReason = 'error' | 'security' | 'slow' | 'cost';

export interface KeepRules {
  readonly slowMs: number;
  readonly costUsd: number;
}

/** The first reason that the span gives by itself. Its cost is told by {@link costUsdOf}, as that of a trace is a sum. */
export function reasonToKeep(span: FinishedSpan, { slowMs }: KeepRules): KeepReason | undefined {
  if (span.attributes[securityAttribute] !== undefined) return 'security';
  if (span.status.code === SpanStatusCode.ERROR || span.attributes[criticalAttribute] !== undefined) return 'error';
  return durationMs(span) >= slowMs ? 'slow' : undefined;
}

export function costUsdOf({ attributes }: FinishedSpan): number {
  const nanoUsd = attributes[costAttribute];
  return typeof nanoUsd === 'number' ? nanoUsd / 1e9 : 0;
}
