import { describe, expect, test } from '@jest/globals';
import { rateLimitConfig, rateLimitFromConfig } from '../src/config.ts';
import { createRateLimiter } from '../src/index.ts';

describe('the rate_limit block', () => {
  test('RL21: makes a rule of each rate', () => {
    const config = rateLimitConfig.parse({
      enabled: true,
      strategy: 'token_bucket',
      storage: 'memory',
      global: { requests_per_second: 100, strict: true },
      per_user: { requests_per_minute: 10, requests_per_hour: 200, requests_per_day: 1_000, burst: 5 },
    });
    expect(rateLimitFromConfig(config)).toEqual({
      rules: [
        { name: 'global_requests_per_second', scope: 'global', limit: 100, per: 'second', strict: true },
        { name: 'user_requests_per_minute', scope: 'user', limit: 10, per: 'minute', strict: false, burst: 5 },
        { name: 'user_requests_per_hour', scope: 'user', limit: 200, per: 'hour', strict: false, burst: 5 },
        { name: 'user_requests_per_day', scope: 'user', limit: 1_000, per: 'day', strict: false, burst: 5 },
      ],
    });
  });

  test('RL21: makes rules that a limiter takes, up to its bounds', () => {
    const most = {
      requests_per_second: 10_000,
      requests_per_minute: 600_000,
      requests_per_hour: 36_000_000,
      requests_per_day: 864_000_000,
      burst: 1_000_000,
    };
    const { rules } = rateLimitFromConfig(
      rateLimitConfig.parse({ global: most, per_user: { ...most, burst: 10_000, strict: true } }),
    );
    expect(rules).toHaveLength(8);
    expect(createRateLimiter({ rules }).checkSync({ user: 'ada' }).allowed).toBe(true);
  });

  test('limits nothing where it is missing or off', () => {
    expect(rateLimitFromConfig(rateLimitConfig.parse(undefined))).toEqual({ rules: [] });
    const off = rateLimitConfig.parse({ enabled: false, global: { requests_per_second: 1 } });
    expect(rateLimitFromConfig(off)).toEqual({ rules: [] });
  });

  const notYet = 'is known but not supported yet';
  test.each([
    [{ strategy: 'fixed_window' }, 'strategy', `"fixed_window" ${notYet}`],
    [{ strategy: 'sliding_window' }, 'strategy', `"sliding_window" ${notYet}`],
    [{ strategy: 'leaky_bucket' }, 'strategy', `"leaky_bucket" ${notYet}`],
    [{ storage: 'redis' }, 'storage', `"redis" ${notYet}`],
    [{ storage: 'postgres' }, 'storage', `"postgres" ${notYet}`],
    [{ llm_providers: { openai: { requests_per_minute: 1 } } }, 'llm_providers', notYet],
    [{ per_endpoint: {} }, 'per_endpoint', notYet],
    [{ tiers: {} }, 'tiers', notYet],
    [{ per_user: { tokens_per_minute: 1 } }, 'per_user.tokens_per_minute', notYet],
    [{ per_user: { max_concurrent: 1 } }, 'per_user.max_concurrent', notYet],
    [{ global: { max_cost_per_hour: 1.5 } }, 'global.max_cost_per_hour', notYet],
  ])('RL21: says of a known key that it is not supported yet: %p', (block, path, message) => {
    expect(problemsOf(block)).toEqual([[path, message]]);
  });

  test.each([
    [{ strategy: 'guess' }, 'strategy', 'Invalid input: expected "token_bucket"'],
    [{ global: { requests_per_second: 0 } }, 'global.requests_per_second', 'Too small'],
    [{ global: { requests_per_second: 10_001 } }, 'global.requests_per_second', 'Too big'],
    [{ global: { requests_per_minute: '10' } }, 'global.requests_per_minute', 'Invalid input'],
    [{ global: { requests_per_week: 10 } }, 'global', 'Unrecognized key: "requests_per_week"'],
    [{ per_users: {} }, '', 'Unrecognized key: "per_users"'],
    [
      { per_user: { requests_per_second: 5, requests_per_minute: 10, strict: true, burst: 6 } },
      'per_user.burst',
      'must be at most 5, the least rate, where strict',
    ],
  ])('RL21: refuses %p, naming the key', (block, path, message) => {
    expect(problemsOf(block)).toEqual([[path, expect.stringContaining(message)]]);
  });
});

function problemsOf(block: unknown): unknown[] {
  const { error } = rateLimitConfig.safeParse(block);
  return (error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]);
}
