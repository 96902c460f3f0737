/** What a process that will be killed and the test that kills it both ask about. */
import type { Rule } from '../../src/index.ts';

export const holderTtlMs = 1_500;
export const holderSchema = 'leases';
export const holderTag = 'leases';

/** Four slots, and tokens that come back with them. */
export const holderRules: readonly Rule[] = [
  { name: 'slots', scope: 'user', unit: 'concurrency', limit: 4 },
  {
    name: 'tokens',
    scope: 'user',
    unit: 'tokens',
    limit: 160,
    per: 'hour',
    strategy: 'sliding-window',
    onExpiry: 'return',
  },
];
