import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Item, parseList } from 'structured-headers';
import type { RuleState } from '../../src/index.ts';
import { type RateLimitFieldOptions, rateLimitFields } from '../../src/http/ietf.ts';
import { decisionOf, nowMs, state } from './support/decisions.ts';

const minute = { periodMs: 60_000 };
/** Any code points: what the unit 'binary' of fast-check gives as well, after it has made a table of all of them. */
const anyText = fc.string({ unit: fc.nat(0x10_ffff).map((point) => String.fromCodePoint(point).toWellFormed()) });

describe('the IETF fields', () => {
  test('RL19: name every policy with quota and window, and what is left of each', () => {
    const fields = fieldsOf([
      state({ ...minute, rule: 'burst', limit: 100, remaining: 12, resetAtMs: nowMs + 34_001 }),
      state({ rule: 'daily', limit: 1_000, remaining: 999, periodMs: 86_400_000, resetAtMs: nowMs + 86_400 }),
    ]);
    expect(fields).toEqual({
      'RateLimit-Policy': '"burst";q=100;w=60, "daily";q=1000;w=86400',
      RateLimit: '"burst";r=12;t=35, "daily";r=999;t=86314',
    });
  });

  test('on a denial tell what is left of the rules that said no, none for longer than Retry-After', () => {
    const fields = fieldsOf([
      state({ ...minute, rule: 'second', limit: 5, remaining: 0, allowed: false, retryAfterMs: 200, periodMs: 1_000 }),
      state({ ...minute, rule: 'minute', limit: 60, remaining: 2, allowed: false, retryAfterMs: 3_001 }),
      state({ rule: 'day', limit: 1_000, remaining: 500, periodMs: 86_400_000 }),
    ]);
    expect(fields.RateLimit).toBe('"second";r=0;t=1, "minute";r=2;t=4');
    expect(parseList(fields['RateLimit-Policy'] ?? '')).toHaveLength(3);
  });

  test('say for a rule that nothing but a smaller request can cure what is left, and no time', () => {
    const fields = fieldsOf([state({ ...minute, cost: 61, allowed: false, retryAfterMs: undefined })]);
    expect(fields.RateLimit).toBe('"user";r=59');
  });

  test('name units other than requests, the default', () => {
    const units = ['concurrency', 'tokens', 'input_tokens'] as const;
    expect(fieldsOf(units.map((unit) => state({ unit })))['RateLimit-Policy']).toBe(
      '"user";q=60;qu="concurrent-requests", "user";q=60;qu="tokens", "user";q=60;qu="input_tokens"',
    );
  });

  test('tell when slots and months come back only as far as it is known', () => {
    const month = state({ rule: 'month', limit: 5, remaining: 3, resetAtMs: nowMs + 864_000_001 });
    const slots = state({ rule: 'slots', unit: 'concurrency', limit: 5, remaining: 3 });
    expect(fieldsOf([month, slots]).RateLimit).toBe('"month";r=3;t=864001, "slots";r=3');
  });

  test('keep quiet about shadow rules, and are missing where no enforced rule applies', () => {
    expect(fieldsOf([state({ mode: 'shadow', allowed: false })])).toEqual({});
    expect(fieldsOf([])).toEqual({});
    expect(fieldsOf([state({ limit: Number.POSITIVE_INFINITY })])).toEqual({});
  });

  describe('with a secret', () => {
    const partitionSecret = 'of this service';
    const pkOf = (key: string, secret = partitionSecret): unknown => {
      const rule = state({ key });
      const fields = rateLimitFields(decisionOf(rule), { partitionSecret: secret, nowMs });
      const policy = parametersOf(fields['RateLimit-Policy']).get('pk');
      expect(parametersOf(fields.RateLimit).get('pk')).toEqual(policy);
      return policy instanceof ArrayBuffer ? Buffer.from(policy).toString('hex') : policy;
    };

    test('tell partitions apart by a keyed hash in which no key can be read', () => {
      expect(pkOf('ada')).toMatch(/^[0-9a-f]{24}$/);
      expect(pkOf('ada')).toBe(pkOf('ada'));
      expect(new Set([pkOf('ada'), pkOf('bob'), pkOf('ada', 'of another')]).size).toBe(3);
    });

    test('say no partition where there is one for all', () => {
      expect(pkOf('')).toBeUndefined();
    });
  });

  test("are read by another library's RFC 9651 parser, whatever the rules are called and however big their numbers", () => {
    fc.assert(
      fc.property(fc.array(anyRule(), { minLength: 1, maxLength: 8 }), fc.option(fc.string()), (rules, secret) => {
        const fields = fieldsOf(rules, { ...(secret !== null && { partitionSecret: secret }) });
        const policies = parseList(fields['RateLimit-Policy'] ?? '');
        expect(policies.map(nameOf)).toEqual(rules.map(({ rule }) => rule.toWellFormed()));
        for (const [, parameters] of policies) {
          expect(parameters.get('q')).toBeGreaterThanOrEqual(0);
          expect(parameters.get('w') ?? 1).toBeGreaterThanOrEqual(1);
        }
        const limits = parseList(fields.RateLimit ?? '');
        expect(limits.length).toBeGreaterThan(0);
        for (const [, parameters] of limits) {
          expect(Number.isInteger(parameters.get('r'))).toBe(true);
          expect(parameters.get('t') ?? 0).toBeGreaterThanOrEqual(0);
        }
        // What a server would put on the wire as it is: no line of its own can begin in it.
        expect(Object.values(fields).join('')).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  test("never let what is left and its time suggest more than the policy's own rate", () => {
    fc.assert(
      fc.property(
        fc.record({
          limit: fc.integer({ min: 1, max: 1e9 }),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
          seconds: fc.integer({ min: 1, max: 2_678_400 }),
          resetMs: fc.integer({ min: 0, max: 1e6 }),
        }),
        ({ limit, share, seconds, resetMs }) => {
          const remaining = Math.floor(limit * share);
          const rule = state({ limit, remaining, periodMs: seconds * 1_000, resetAtMs: nowMs + resetMs });
          const parameters = parametersOf(fieldsOf([rule]).RateLimit);
          expect(Number(parameters.get('r')) * seconds).toBeLessThanOrEqual(Number(parameters.get('t')) * limit + 1e-6);
        },
      ),
    );
  });
});

function fieldsOf(rules: readonly RuleState[], options: RateLimitFieldOptions = {}) {
  return rateLimitFields(decisionOf(...rules), { nowMs, ...options });
}

function parametersOf(field: string | undefined): Map<string, unknown> {
  return parseList(field ?? '')[0]?.[1] ?? new Map();
}

function nameOf([name]: Item | readonly unknown[]): string {
  return decodeURIComponent(String(name));
}

function anyRule(): fc.Arbitrary<RuleState> {
  const amount = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }));
  return fc
    .record({
      rule: fc.oneof(
        anyText,
        fc.string(),
        fc.constantFrom('"', '\\', '";q=1;pk=:AA==:, "x', '\r\nSet-Cookie: a=b', '%41', '\ud800', 'naïve', ''),
      ),
      allowed: fc.boolean(),
      limit: amount,
      remaining: fc.oneof(amount, fc.integer({ min: -10, max: -1 })),
      retryAfterMs: fc.option(amount, { nil: undefined }),
      periodMs: fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined }),
      key: anyText,
    })
    .map((fields) => state(fields as Partial<RuleState>));
}
