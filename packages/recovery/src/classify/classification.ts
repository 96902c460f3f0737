import type { ErrorCategory } from '@sage-adk/core';

/** What an error is, and what may be done about it. */
export interface Classification {
  readonly category: ErrorCategory;
  readonly reason: Reason;
  /** Whether the same target may be asked again. `if-idempotent`: the first try may have had its effect. */
  readonly retry: 'yes' | 'no' | 'if-idempotent';
  /** Milliseconds that the other side asked to wait. A floor, never cut. */
  readonly waitMs: number | undefined;
  readonly status: number | undefined;
}

/** A fixed list, so a reason can be a label. */
export type Reason =
  | 'network'
  | 'dns'
  | 'timeout'
  | 'rate_limited'
  | 'overloaded'
  | 'server'
  | 'conflict'
  | 'too_early'
  | 'rejected'
  | 'caller'
  | 'deadline'
  | 'quota'
  | 'context_length'
  | 'content_policy'
  | 'auth'
  | 'not_found'
  | 'invalid'
  | 'unsupported'
  | 'config'
  | 'security'
  | 'unknown';

/** What a reason means where nothing more is known. */
export const meaningOf: Readonly<Record<Reason, Pick<Classification, 'category' | 'retry'>>> = {
  network: { category: 'transient', retry: 'yes' },
  dns: { category: 'transient', retry: 'yes' },
  timeout: { category: 'transient', retry: 'if-idempotent' },
  rate_limited: { category: 'transient', retry: 'yes' },
  overloaded: { category: 'transient', retry: 'yes' },
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
  unknown: { category: 'permanent', retry: 'no' },
};
