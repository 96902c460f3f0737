import type { ErrorCategory } from '@sage-adk/core';
import type { Reason } from '../classify/classification.ts';

/** Who served, and what was tried before. */
export interface Served {
  /** A target's name; of a response tier its tier. */
  readonly servedBy: string;
  readonly tier: 'primary' | 'fallback' | 'cached' | 'pattern' | 'static';
  /** Whether the answer is less than what was asked for: a pattern, a default, a stale one. */
  readonly degraded: boolean;
  /** Targets that failed, in order. */
  readonly attempts: readonly AttemptRecord[];
}

export interface Outcome<O> extends Served {
  readonly value: O;
}

export interface AttemptRecord {
  readonly target: string;
  readonly category: ErrorCategory;
  readonly reason: Reason;
}
