/** Random traffic for stores: rules of every kind, and what is done to them. */
import fc from 'fast-check';
import { type CompiledRule, compileRule } from '../../../src/compile.ts';
import type { Rule } from '../../../src/rule.ts';

export interface Op {
  readonly kind:
    | 'peek'
    | 'consume'
    | 'force'
    | 'lower'
    | 'reserve'
    | 'charge'
    | 'settle'
    | 'extend'
    | 'reset'
    | 'snapshot';
  /** Time that passes first; a clock may be set back. */
  readonly passUs: number;
  readonly asks: readonly { readonly rule: number; readonly key: number; readonly cost: number }[];
  readonly id: number;
  readonly ttlUs: number;
  readonly maxWaitUs: number;
}

const limits = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 100, max: 1_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1e6, max: 1e12 }) },
);
const periods = fc.oneof(
  fc.constantFrom('second', 'minute', 'hour', 'day'),
  fc.integer({ min: 1, max: 5_000 }).map((ms) => ({ ms })),
);

const timed = fc.oneof(
  fc.record({ strategy: fc.constantFrom('token-bucket', 'sliding-window'), per: periods }),
  fc.record({ strategy: fc.constant('token-bucket'), per: periods, strict: fc.constant(true) }),
  fc.record({ strategy: fc.constant('fixed-window'), per: periods, anchored: fc.boolean() }),
  fc.record({ strategy: fc.constant('leaky-bucket'), per: periods, maxQueue: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    per: fc.constantFrom('calendar-day', 'calendar-month'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  }),
  fc.record({ unit: fc.constant('concurrency') }),
);

const rule = fc
  .tuple(timed, limits, fc.boolean(), fc.integer({ min: 0, max: 9 }), fc.constantFrom('charge', 'return'))
  .map(([kind, limit, shared, mode, onExpiry]) => ({
    kind,
    limit,
    shared,
    mode: mode === 0 ? 'shadow' : 'enforce',
    onExpiry,
  }));

/** One to four rules, of which some share a space of keys. */
export const someRules = fc.array(rule, { minLength: 1, maxLength: 4 }).map((drafts) =>
  drafts.flatMap(({ kind, limit, shared, mode, onExpiry }, index) => {
    const draft = { ...kind, name: `rule-${index}`, scope: 'user', limit, mode, onExpiry } as Rule;
    return compiled(draft, shared ? 'user' : `space:${index}`);
  }),
);

function compiled(draft: Rule, space: string): CompiledRule[] {
  try {
    const made = compileRule(draft, space);
    return made === undefined ? [] : [made];
  } catch {
    // Some draws have no exact bucket.
    return [];
  }
}

const us = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1e11 }) },
);
const cost = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_200 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);
const ask = fc.record({ rule: fc.nat(3), key: fc.nat(1), cost });

const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom<Op['kind'][]>(
    'peek',
    'consume',
    'consume',
    'consume',
    'force',
    'lower',
    'reserve',
    'reserve',
    'reserve',
    'charge',
    'charge',
    'settle',
    'settle',
    'extend',
    'reset',
    'snapshot',
  ),
  passUs: fc.oneof({ weight: 9, arbitrary: us }, { weight: 1, arbitrary: fc.integer({ min: -500_000, max: 0 }) }),
  asks: fc.array(ask, { minLength: 1, maxLength: 4 }),
  id: fc.nat(4),
  ttlUs: us.map((value) => value + 1),
  maxWaitUs: us,
});

export const someOps = fc.array(op, { minLength: 1, maxLength: 40 });
