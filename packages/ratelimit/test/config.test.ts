import { afterEach, describe, expect, test } from '@jest/globals';
import type { LimitCosts, LimitSubject } from '@sage-adk/core';
import * as fc from 'fast-check';
import { createFakeClock } from '@sage-adk/core/testing';
import { rateLimitConfig, rateLimitFromConfig } from '../src/config.ts';
import { createRateLimiter, type RateLimiter } from '../src/index.ts';

const ada = { user: 'ada' };
const bob = { user: 'bob' };
const opened: RateLimiter[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((limiter) => limiter.close()));
});

describe('the rate_limit block', () => {
  test('RL21: makes a rule of each number', () => {
    const config = rateLimitConfig.parse({
      strategy: 'token_bucket',
      storage: 'memory',
      global: { requests_per_second: 100, strict: true, max_concurrent: 20 },
      per_user: { requests_per_minute: 10, tokens_per_day: 100_000, burst: 5, max_cost_per_hour: 1.5 },
    });
    expect(rateLimitFromConfig(config)).toEqual({
      storage: 'memory',
      instances: 1,
      rules: [
        {
          name: 'global_requests_per_second',
          unit: 'requests',
          scope: 'global',
          limit: 100,
          per: 'second',
          strategy: 'token-bucket',
          strict: true,
        },
        { name: 'global_max_concurrent', unit: 'concurrency', scope: 'global', limit: 20 },
        {
          name: 'user_requests_per_minute',
          unit: 'requests',
          scope: 'user',
          limit: 10,
          per: 'minute',
          strategy: 'token-bucket',
          burst: 5,
        },
        {
          name: 'user_tokens_per_day',
          unit: 'tokens',
          scope: 'user',
          limit: 100_000,
          per: 'day',
          strategy: 'token-bucket',
        },
        {
          name: 'user_max_cost_per_hour',
          unit: 'cost',
          scope: 'user',
          limit: 1_500_000_000,
          per: 'hour',
          strategy: 'sliding-window',
        },
      ],
    });
  });

  test('RL21: makes rules that a limiter takes, up to their bounds', () => {
    const most = {
      ...Object.fromEntries(periods.map((period) => [`requests_per_${period}`, 1_000_000_000])),
      ...Object.fromEntries(periods.map((period) => [`tokens_per_${period}`, 1_000_000_000_000])),
      max_concurrent: 1_000_000,
      max_cost_per_hour: 1_000_000,
      burst: 1_000_000_000,
    };
    for (const strategy of ['token_bucket', 'leaky_bucket']) {
      const { limiter } = limit({ strategy, global: most, per_user: most, tiers: { gold: most } });
      expect(limiter.checkSync(ada).rules).toHaveLength(20);
      expect(limiter.checkSync({ ...ada, tier: 'gold' }).allowed).toBe(true);
    }
  });

  test('limits nothing where it is missing or off', () => {
    expect(rateLimitFromConfig(rateLimitConfig.parse(undefined))).toEqual({
      rules: [],
      storage: 'memory',
      instances: 1,
    });
    const off = rateLimitConfig.parse({
      enabled: false,
      global: { requests_per_second: 1 },
      per_user: { max_concurrent: 1 },
    });
    expect(rateLimitFromConfig(off).rules).toEqual([]);
  });
});

const periods = ['second', 'minute', 'hour', 'day'] as const;
const lengthMs = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

describe('RL21: each key changes what happens', () => {
  test.each(periods)('requests_per_%s', (period) => {
    const { spend, clock } = limit({ per_user: { [`requests_per_${period}`]: 2 } });
    expect([spend(ada), spend(ada), spend(ada), spend(bob)]).toEqual([true, true, false, true]);
    clock.advance(lengthMs[period] - 1);
    expect([spend(ada), spend(ada)]).toEqual([true, false]);
  });

  test.each(periods)('RL2: tokens_per_%s', (period) => {
    const { spend, clock } = limit({ per_user: { [`tokens_per_${period}`]: 1_000 } });
    expect([spend(ada, { inputTokens: 400, outputTokens: 600 }), spend(ada, { tokens: 1 }), spend(ada)]).toEqual([
      true,
      false,
      true,
    ]);
    clock.advance(lengthMs[period] / 2);
    expect([spend(ada, { tokens: 500 }), spend(ada, { tokens: 1 })]).toEqual([true, false]);
  });

  test('RL3: max_concurrent', async () => {
    const { limiter } = limit({ per_user: { max_concurrent: 1 } });
    const held = await limiter.reserve(ada);
    expect([held.allowed, (await limiter.reserve(ada)).allowed, (await limiter.reserve(bob)).allowed]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('RL5: max_cost_per_hour: hard, whatever the strategy', () => {
    const { spend, clock } = limit({ strategy: 'fixed_window', global: { max_cost_per_hour: 0.5 } });
    clock.advance(3_599_000);
    expect([spend(ada, { costNanoUsd: 500_000_000n }), spend(bob, { costNanoUsd: 1n })]).toEqual([true, false]);
    clock.advance(3_000);
    expect(spend(bob, { costNanoUsd: 1n })).toBe(false);
  });

  test('burst', () => {
    const { spend } = limit({ per_user: { requests_per_minute: 60, burst: 2 } });
    expect([spend(ada), spend(ada), spend(ada)]).toEqual([true, true, false]);
  });

  test('strict', () => {
    const inAMinute = (strict: boolean): number => {
      const { spend, clock } = limit({ global: { requests_per_minute: 10, strict } });
      let admitted = 0;
      for (let n = 0; n < 590; n++) {
        admitted += Number(spend(ada));
        clock.advance(100);
      }
      return admitted;
    };
    expect([inAMinute(false), inAMinute(true)]).toEqual([19, 10]);
  });

  test('RL12, RL13, RL14, RL15: strategy', () => {
    const admittedBy = (strategy: string): readonly boolean[] => {
      const { spend, clock } = limit({ strategy, global: { requests_per_minute: 2 } });
      clock.advance(45_000);
      const before = [spend(ada), spend(ada), spend(ada)];
      clock.advance(20_000);
      const after = [spend(ada), spend(ada)];
      clock.advance(20_000);
      return [...before, ...after, spend(ada)];
    };
    expect({
      token_bucket: admittedBy('token_bucket'),
      fixed_window: admittedBy('fixed_window'),
      sliding_window: admittedBy('sliding_window'),
      leaky_bucket: admittedBy('leaky_bucket'),
    }).toEqual({
      token_bucket: [true, true, false, false, false, true],
      fixed_window: [true, true, false, true, true, false],
      sliding_window: [true, true, false, false, false, false],
      leaky_bucket: [true, false, false, false, false, true],
    });
  });

  test.each(['memory', 'redis', 'postgres'])('storage: %s, which the app connects', (storage) => {
    expect(rateLimitFromConfig(rateLimitConfig.parse({ storage })).storage).toBe(storage);
  });

  test('instances, which the app tells the guard of its store', () => {
    expect(rateLimitFromConfig(rateLimitConfig.parse({ instances: 4 })).instances).toBe(4);
  });

  test('RL7: global', () => {
    const { spend } = limit({ global: { requests_per_minute: 2 } });
    expect([spend(ada), spend(bob), spend({})]).toEqual([true, true, false]);
  });

  test('RL9: per_endpoint', () => {
    const { spend } = limit({
      per_endpoint: { messages: { requests_per_minute: 2 }, admin: { requests_per_minute: 1 } },
    });
    const at = (endpoint: string) => ({ ...ada, endpoint });
    expect([spend(at('messages')), spend(at('messages')), spend(at('messages'))]).toEqual([true, true, false]);
    expect([spend(at('admin')), spend(at('admin')), spend(at('other')), spend(at('other'))]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('RL10: llm_providers', () => {
    const { spend } = limit({
      llm_providers: { openai: { requests_per_minute: 1 }, local: { tokens_per_minute: 10 } },
    });
    expect([spend({ provider: 'openai' }), spend({ provider: 'openai' }), spend({ provider: 'gemini' })]).toEqual([
      true,
      false,
      true,
    ]);
    expect([spend({ provider: 'local' }, { tokens: 10 }), spend({ provider: 'local' }, { tokens: 1 })]).toEqual([
      true,
      false,
    ]);
  });

  test('RL10: llm_providers with a preset', () => {
    const { spend } = limit({
      llm_providers: { anthropic: { preset: true }, gemini: { preset: true, requests_per_minute: 2 } },
    });
    const times = (provider: string, n: number) => Array.from({ length: n }, () => spend({ provider }));
    expect(times('anthropic', 6)).toEqual([true, true, true, true, true, false]);
    expect(times('gemini', 3)).toEqual([true, true, false]);
  });

  test('RL11: tiers', () => {
    const { spend, limiter } = limit({
      per_user: { requests_per_minute: 1, tokens_per_day: 100 },
      tiers: { gold: { requests_per_minute: 3 }, staff: { max_cost_per_hour: 1 } },
    });
    const as = (tier: string | undefined, n: number) =>
      Array.from({ length: n }, () => spend({ user: `${tier}`, ...(tier !== undefined && { tier }) }));
    expect([as(undefined, 2), as('gold', 4), as('unheard of', 2)]).toEqual([
      [true, false],
      [true, true, true, false],
      [true, false],
    ]);
    const rulesOf = (tier: string) =>
      limiter.checkSync({ user: 'x', tier }, { requests: 0 }).rules.map(({ rule, limit: most }) => `${rule} ${most}`);
    expect(rulesOf('gold')).toEqual(['user_requests_per_minute 3', 'user_tokens_per_day 100']);
    expect(rulesOf('staff')).toEqual([
      'user_requests_per_minute 1',
      'user_tokens_per_day 100',
      'user_max_cost_per_hour 1000000000',
    ]);
  });
});

test.each([
  [{ strategy: 'guess' }, 'strategy', 'Invalid option'],
  [{ storage: 'disk' }, 'storage', 'Invalid option'],
  [{ instances: 0 }, 'instances', 'Too small'],
  [{ global: { requests_per_second: 0 } }, 'global.requests_per_second', 'Too small'],
  [{ global: { requests_per_second: 1.5 } }, 'global.requests_per_second', 'Invalid input'],
  [{ global: { max_cost_per_hour: 0 } }, 'global.max_cost_per_hour', 'Too small'],
  [{ global: { requests_per_minute: '10' } }, 'global.requests_per_minute', 'Invalid input'],
  [{ global: { requests_per_week: 10 } }, 'global', 'Unrecognized key: "requests_per_week"'],
  [{ per_users: {} }, '', 'Unrecognized key: "per_users"'],
  [{ per_endpoint: { '/v1/messages': {} } }, 'per_endpoint./v1/messages', 'Invalid key'],
  [
    { llm_providers: { acme: { preset: true } } },
    'llm_providers.acme.preset',
    'there is one only for openai, anthropic, gemini',
  ],
  [{ strategy: 'fixed_window', per_user: { burst: 5 } }, 'per_user.burst', 'has no meaning for fixed_window'],
  [
    { strategy: 'sliding_window', tiers: { gold: { burst: 5 } } },
    'tiers.gold.burst',
    'has no meaning for sliding_window',
  ],
  [{ strategy: 'leaky_bucket', global: { strict: true } }, 'global.strict', 'has no meaning for leaky_bucket'],
  [
    { per_user: { requests_per_second: 5, requests_per_minute: 10, strict: true, burst: 6 } },
    'per_user.burst',
    'must be at most 5, the least rate, where strict',
  ],
  [
    { per_user: { requests_per_minute: 60, burst: 50, strict: true }, tiers: { low: { requests_per_minute: 10 } } },
    'tiers.low.burst',
    'must be at most 10, the least rate, where strict',
  ],
  [
    { per_user: { requests_per_minute: 60, strict: true }, tiers: { high: { burst: 100 } } },
    'tiers.high.burst',
    'must be at most 60, the least rate, where strict',
  ],
  [
    { per_user: { requests_per_minute: 60, burst: 90, strict: true }, tiers: { high: { tokens_per_day: 1_000 } } },
    'per_user.burst',
    'must be at most 60, the least rate, where strict',
  ],
  [{ llm_providers: { toString: { preset: true } } }, 'llm_providers.toString.preset', 'there is one only for'],
])('RL21: refuses %p, naming the key', (block, path, message) => {
  const { error } = rateLimitConfig.safeParse(block);
  const issues = (error?.issues ?? []).map((issue) => [issue.path.join('.'), issue.message]);
  expect(issues).toEqual([[path, expect.stringContaining(message)]]);
});

test('RL21: what parses makes rules that a limiter takes', () => {
  const amount = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
  const amounts = Object.fromEntries(
    ['requests_per_second', 'requests_per_minute', 'tokens_per_hour', 'max_concurrent', 'burst'].map((key) => [
      key,
      amount,
    ]),
  );
  const block = fc.record({ ...amounts, strict: fc.boolean() });
  const tiers = fc.dictionary(fc.constantFrom('low', 'high'), fc.record(amounts));
  const strategy = fc.constantFrom('token_bucket', 'fixed_window', 'sliding_window', 'leaky_bucket');
  fc.assert(
    fc.property(fc.record({ strategy, global: block, per_user: block, tiers }), (given) => {
      const { data } = rateLimitConfig.safeParse(given);
      if (data !== undefined) opened.push(createRateLimiter(rateLimitFromConfig(data)));
    }),
    { numRuns: 500 },
  );
});

function limit(block: unknown) {
  const clock = createFakeClock();
  const limiter = createRateLimiter({ ...rateLimitFromConfig(rateLimitConfig.parse(block)), clock });
  opened.push(limiter);
  const spend = (subject: LimitSubject, costs?: LimitCosts): boolean => limiter.checkSync(subject, costs).allowed;
  return { limiter, clock, spend };
}
