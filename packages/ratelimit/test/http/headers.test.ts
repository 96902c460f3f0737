import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import * as fc from 'fast-check';
import { createRateLimiter, rateLimitBody, rateLimitHeaders, type Rule } from '../../src/index.ts';

const ada = { user: 'ada' };

describe('rate-limit header fields', () => {
  test('RL19: tell limit, what remains, and when it is whole again in Unix seconds, rounded up', () => {
    const { limiter, clock } = create({ name: 'user', scope: 'user', limit: 100, per: 'minute' });
    clock.advance(1);
    expect(rateLimitHeaders(limiter.checkSync(ada))).toEqual({
      'X-RateLimit-Limit': '100',
      'X-RateLimit-Remaining': '99',
      'X-RateLimit-Reset': '1696809601',
    });
  });

  test('RL19: add Retry-After on a denial alone, in whole seconds rounded up', () => {
    const { limiter, clock } = create({ name: 'user', scope: 'user', limit: 4, per: 'minute' });
    limiter.checkSync(ada, { requests: 4 });
    clock.advance(1);
    const denied = limiter.checkSync(ada, { requests: 3 });
    expect(denied.retryAfterMs).toBe(44_999);
    expect(rateLimitHeaders(denied)).toMatchObject({ 'Retry-After': '45', 'X-RateLimit-Remaining': '0' });
  });

  test('RL19: never ask to retry after less than a second', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1_000, per: 'second' });
    limiter.checkSync(ada, { requests: 1_000 });
    expect(rateLimitHeaders(limiter.checkSync(ada))['Retry-After']).toBe('1');
  });

  test('say nothing where no enforced rule applies', () => {
    const { limiter } = create({ name: 'shadow', scope: 'user', limit: 1, per: 'minute', mode: 'shadow' });
    expect(rateLimitHeaders(limiter.checkSync(ada))).toEqual({});
  });

  test('ask for no retry where the cost can never fit', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 5, per: 'minute' });
    const decision = limiter.checkSync(ada, { requests: 6 });
    expect(Object.keys(rateLimitHeaders(decision))).not.toContain('Retry-After');
    expect(rateLimitBody(decision)).toEqual({
      error: 'rate_limit_never_allowed',
      message: 'A cost of 6 requests never fits rule "user", which admits at most 5 at once. Ask for less.',
      limit: 5,
      remaining: 5,
      reset: 1696809600,
    });
  });
});

describe('whatever the rules', () => {
  const anyRules = fc
    .array(
      fc.record({
        limit: fc.integer({ min: 1, max: 200 }),
        per: fc.constantFrom(...(['second', 'minute', 'hour', 'day', 'calendar-day', 'calendar-month'] as const)),
        strategy: fc.constantFrom(...(['token-bucket', 'fixed-window', 'sliding-window', 'leaky-bucket'] as const)),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((fields) =>
      fields.map(({ per, strategy, ...rest }, n): Rule => {
        const own = per.startsWith('calendar') ? 'fixed-window' : strategy;
        return { ...rest, name: `rule-${n}`, scope: 'user', per, strategy: own };
      }),
    );
  const calls = fc.array(fc.record({ requests: fc.integer({ min: 1, max: 100 }), gapMs: fc.nat(3_000) }));

  test('RL19: who waits for Retry-After gets through, and at Reset the shown limit is whole', () => {
    fc.assert(
      fc.property(anyRules, calls, (rules, traffic) => {
        const { limiter, clock } = create(...rules);
        for (const { requests, gapMs } of traffic) {
          clock.advance(gapMs);
          const decision = limiter.checkSync(ada, { requests });
          const fields = rateLimitHeaders(decision);
          for (const value of Object.values(fields)) expect(value).toMatch(/^\d+$/);
          const reset = Number(fields['X-RateLimit-Reset']);
          expect(reset * 1_000 - decision.resetAtMs).toBeGreaterThanOrEqual(0);
          expect(reset * 1_000 - decision.resetAtMs).toBeLessThan(1_000);
          expect(Number(fields['X-RateLimit-Remaining'])).toBeLessThanOrEqual(Number(fields['X-RateLimit-Limit']));
          const wait = fields['Retry-After'];
          expect(wait === undefined).toBe(decision.allowed || decision.retryAfterMs === undefined);
          const body = rateLimitBody(decision);
          if (wait === undefined) continue;
          expect(Number(wait)).toBeGreaterThanOrEqual(1);
          expect(Object.keys(body ?? {})).toEqual(['error', 'message', 'retry_after', 'limit', 'remaining', 'reset']);
          expect([body?.retry_after, body?.limit, body?.remaining, body?.reset].map(String)).toEqual([
            wait,
            fields['X-RateLimit-Limit'],
            fields['X-RateLimit-Remaining'],
            fields['X-RateLimit-Reset'],
          ]);
          clock.advance(Number(wait) * 1_000);
          expect(limiter.checkSync(ada, { requests }).allowed).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the body of a 429', () => {
  test('RL20: has exactly its six keys, in their order', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 100, per: { ms: 4_200_000 } });
    limiter.checkSync(ada, { requests: 100 });
    const body = rateLimitBody(limiter.checkSync(ada));
    expect(JSON.stringify(body)).toBe(
      '{"error":"rate_limit_exceeded","message":"Rate limit exceeded. Try again in 42 seconds.",' +
        '"retry_after":42,"limit":100,"remaining":0,"reset":1696813800}',
    );
  });

  test('is undefined where the call is allowed', () => {
    const { limiter } = create({ name: 'user', scope: 'user', limit: 1, per: 'minute' });
    expect(rateLimitBody(limiter.checkSync(ada))).toBeUndefined();
  });
});

function create(...rules: readonly Rule[]) {
  const clock = createFakeClock({ nowMs: 1_696_809_600_000 });
  return { clock, limiter: createRateLimiter({ rules, clock }) };
}
