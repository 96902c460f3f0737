import type { ErrorCategory } from '@sage-adk/core';

/** What an error is, and what may be done about it. */
export interface Classification {
  readonly category: ErrorCategory;
  readonly reason: Reason;
  /** Whether the same target may be asked again. `if-idempotent`: the first try may have had its effect. */
  readonly retry: Retriable;
  /** Milliseconds that the other side asked to wait. A floor, never cut. */
  readonly waitMs: number | undefined;
  readonly status: number | undefined;
}

export type Retriable = 'yes' | 'no' | 'if-idempotent';

/** What a reason means where nothing more is known. */
export const meaningOf = {
  network: { category: 'transient', retry: 'yes' },
  dns: { category: 'transient', retry: 'yes' },
  timeout: { category: 'transient', retry: 'if-idempotent' },
  rate_limited: { category: 'transient', retry: 'yes' },
  overloaded: { category: 'transient', retry: 'yes' },
  /** A server that starts, ends, or has handed its work to another. */
  unavailable: { category: 'transient', retry: 'yes' },
  server: { category: 'transient', retry: 'yes' },
  conflict: { category: 'transient', retry: 'yes' },
  too_early: { category: 'transient', retry: 'yes' },
  rejected: { category: 'transient', retry: 'no' },
  caller: { category: 'cancelled', retry: 'no' },
  deadline: { category: 'cancelled', retry: 'no' },
  quota: { category: 'permanent', retry: 'no' },
  context_length: { category: 'permanent', retry: 'no' },
  content_policy: { category: 'permanent', retry: 'no' },
  auth: { category: 'permanent', retry: 'no' },
  not_found: { category: 'permanent', retry: 'no' },
  invalid: { category: 'permanent', retry: 'no' },
  unsupported: { category: 'permanent', retry: 'no' },
  config: { category: 'permanent', retry: 'no' },
  security: { category: 'critical', retry: 'no' },
  /** Storage that can be read and no longer written. */
  storage: { category: 'critical', retry: 'no' },
  /** Storage that is damaged. */
  corruption: { category: 'critical', retry: 'no' },
  unknown: { category: 'permanent', retry: 'no' },
} as const satisfies Readonly<Record<string, Pick<Classification, 'category' | 'retry'>>>;

/** A fixed list, so a reason can be a label. */
export type Reason = keyof typeof meaningOf;
