import { describe, expect, jest, test } from '@jest/globals';
import type { HeaderFields } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createRateLimiter, type RateLimiter, type Rule, type RuleState } from '../../src/index.ts';
import { applyProviderHeaders } from '../../src/provider/provider-headers.ts';
import { decisionOf, nowMs, state } from '../http/support/decisions.ts';

const openai = { provider: 'openai' };
const perMinute = state({ rule: 'rpm', scope: 'provider', limit: 500, remaining: 400, periodMs: 60_000 });
const perDay = state({ rule: 'rpd', scope: 'provider', limit: 10_000, remaining: 9_000, periodMs: 86_400_000 });
const tokens = state({
  rule: 'tpm',
  unit: 'tokens',
  scope: 'provider',
  limit: 200_000,
  remaining: 150_000,
  periodMs: 60_000,
});
const ofUser = state({ rule: 'user', limit: 500, remaining: 450, periodMs: 60_000 });

describe('headers of a provider', () => {
  test('lower what we think is left to what the provider has', async () => {
    const headers = {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '120',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '90000',
    };
    expect(await apply([perDay, perMinute, tokens, ofUser], headers)).toEqual([
      { rule: 'rpm', remaining: 120 },
      { rule: 'tpm', remaining: 90_000 },
    ]);
  });

  test('raise nothing', async () => {
    const headers = { 'x-ratelimit-remaining-requests': '499', 'x-ratelimit-remaining-tokens': '150000' };
    expect(await apply([perMinute, tokens], headers)).toEqual([]);
  });

  test('are about the rule with the limit they name, else about the one with the shortest period', async () => {
    const left = (limit: string) => ({
      'anthropic-ratelimit-requests-limit': limit,
      'anthropic-ratelimit-requests-remaining': '7',
    });
    expect(await apply([perMinute, perDay], left('10000'))).toEqual([{ rule: 'rpd', remaining: 7 }]);
    expect(await apply([perDay, perMinute], left('1000'))).toEqual([{ rule: 'rpm', remaining: 7 }]);
  });

  test('leave rules alone that are not about the provider', async () => {
    expect(await apply([ofUser], { 'x-ratelimit-remaining-requests': '0', 'retry-after': '5' })).toEqual([]);
  });

  test('shut the provider out until it wants to be asked again, at most for the longest time', async () => {
    expect(await apply([perDay, perMinute, tokens], { 'retry-after': '20' })).toEqual([
      { rule: 'rpm', blockMs: 20_000 },
      { rule: 'tpm', blockMs: 20_000 },
      { rule: 'rpd', blockMs: 20_000 },
    ]);
    expect(await apply([perMinute], { 'retry-after-ms': '1500.5' })).toEqual([{ rule: 'rpm', blockMs: 1_501 }]);
    expect(await apply([perMinute], { 'retry-after': '86400' })).toEqual([{ rule: 'rpm', blockMs: 3_600_000 }]);
  });

  test.each<[string, HeaderFields, object]>([
    ['a date', { 'retry-after': new Date(nowMs + 20_000).toUTCString() }, { blockMs: 20_000 }],
    ['milliseconds before seconds', { 'retry-after-ms': '1500', 'retry-after': '2' }, { blockMs: 1_500 }],
    ['milliseconds, as Azure spells them', { 'x-ms-retry-after-ms': '30' }, { blockMs: 30 }],
    ['a day without end', { 'retry-after': '9'.repeat(400) }, { blockMs: 3_600_000 }],
    ['a date in another age', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, { blockMs: 3_600_000 }],
    [
      'OpenAI, which says when all is there again',
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' },
      { remaining: 0 },
    ],
    [
      'Anthropic, which says it as RFC 3339',
      { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': '2999-01-01T00:00:00Z' },
      { remaining: 0 },
    ],
  ])('are read from %s', async (_name, headers, correction) => {
    expect(await apply([perMinute], headers)).toEqual([{ rule: 'rpm', ...correction }]);
    expect(await apply([perMinute], new Headers(headers as Record<string, string>))).toEqual([
      { rule: 'rpm', ...correction },
    ]);
  });

  test.each<[string, Record<string, string>]>([
    ['in the past', { 'retry-after': new Date(nowMs - 20_000).toUTCString() }],
    ['negative', { 'retry-after': '-5', 'retry-after-ms': '-5', 'x-ratelimit-remaining-requests': '-1' }],
    ['more than there is', { 'x-ratelimit-remaining-requests': '9'.repeat(400) }],
    ['no number', { 'x-ratelimit-remaining-requests': '0x0', 'retry-after': 'NaN' }],
  ])('that are absurd change nothing: %s', async (_name, headers) => {
    expect(await apply([perMinute], headers)).toEqual([]);
  });

  test('that say nothing cost nothing', async () => {
    const { limiter, peek, lower } = create([perMinute]);
    await applyProviderHeaders(limiter, openai, new Headers({ 'content-type': 'application/json' }));
    await applyProviderHeaders(limiter, openai, { 'x-ratelimit-remaining-requests': 'many', 'retry-after': 'soon' });
    expect([peek.mock.calls, lower.mock.calls]).toEqual([[], []]);
  });

  test('are not taken with a longest time that cannot be', async () => {
    const { limiter } = create([perMinute]);
    await expect(applyProviderHeaders(limiter, openai, {}, { longestBlockMs: -1 })).rejects.toThrow(
      'The option longestBlockMs is -1',
    );
  });
});

describe('a limiter that reads what its provider says', () => {
  const rules: readonly Rule[] = [
    { name: 'rpm', scope: 'provider', limit: 500, per: 'minute', strategy: 'fixed-window', anchored: true },
    { name: 'tpm', scope: 'provider', unit: 'tokens', limit: 200_000, per: 'minute' },
    { name: 'rpd', scope: 'provider', limit: 10_000, per: 'day' },
    { name: 'user', scope: 'user', limit: 50, per: 'minute' },
  ];
  const ada = { user: 'ada', ...openai };

  test('RL10: has no more left than the provider, and as much as before of everything else', async () => {
    const { limiter, left } = real();
    await limiter.check(ada, { requests: 1, tokens: 1_000 });
    const headers = { 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-remaining-tokens': '5000' };
    await applyProviderHeaders(limiter, ada, headers);
    expect(await left()).toEqual({ rpm: 3, tpm: 5_000, rpd: 9_999, user: 49 });
    await applyProviderHeaders(limiter, ada, headers);
    await applyProviderHeaders(limiter, ada, { 'x-ratelimit-remaining-requests': '400' });
    expect(await left()).toEqual({ rpm: 3, tpm: 5_000, rpd: 9_999, user: 49 });
    for (let n = 0; n < 3; n++) expect((await limiter.check(ada)).allowed).toBe(true);
    expect((await limiter.check(ada)).violated.map(({ rule }) => rule)).toEqual(['rpm']);
    expect((await limiter.check({ user: 'bob', provider: 'anthropic' })).allowed).toBe(true);
  });

  test('admits nothing until the provider wants to be asked again', async () => {
    const { limiter, clock } = real();
    await applyProviderHeaders(limiter, ada, { 'retry-after': '20' });
    clock.advance(5_000);
    const denied = await limiter.check(ada);
    expect([denied.allowed, denied.retryAfterMs, denied.violated.map(({ rule }) => rule)]).toEqual([
      false,
      15_000,
      ['rpm', 'tpm', 'rpd'],
    ]);
    clock.advance(15_000);
    expect((await limiter.check(ada)).allowed).toBe(true);
  });

  const trial: Rule = { name: 'trial', scope: 'provider', limit: 5, per: 'second', mode: 'shadow' };
  const perMinuteOnly: Rule = { name: 'rpm', scope: 'provider', limit: 500, per: 'minute' };
  const tokensOnly: Rule = { name: 'tpm', scope: 'provider', unit: 'tokens', limit: 5_000, per: 'minute' };

  test.each<[string, readonly Rule[]]>([
    ['a shadow rule has the shortest period', [trial, perMinuteOnly]],
    ['a rule of tokens comes first, which the call costs nothing', [tokensOnly, perMinuteOnly]],
    ['there are rules of tokens alone', [tokensOnly]],
  ])('admits nothing until then where %s', async (_name, given) => {
    const { limiter } = real(given);
    await applyProviderHeaders(limiter, openai, { 'retry-after': '20' });
    const decisions = [await limiter.check(openai), await limiter.reserve(openai, { tokens: 5 })];
    expect(decisions.map(({ allowed }) => allowed)).toEqual([false, false]);
    expect((await limiter.check({ provider: 'anthropic' })).allowed).toBe(true);
  });

  test('lets calls go on that run already', async () => {
    const { limiter } = real([tokensOnly]);
    const running = await limiter.reserve(openai, { tokens: 5 });
    await applyProviderHeaders(limiter, openai, { 'retry-after': '20' });
    expect(running.allowed && (await running.charge({ tokens: 5 })).allowed).toBe(true);
  });

  test('lowers the rule that is enforced, not one on trial', async () => {
    const { limiter } = real([trial, perMinuteOnly]);
    const headers = { 'x-ratelimit-limit-requests': '5', 'x-ratelimit-remaining-requests': '0' };
    expect(await applyProviderHeaders(limiter, openai, headers)).toEqual([{ rule: 'rpm', remaining: 0 }]);
    expect((await limiter.check(openai)).allowed).toBe(false);
  });

  function real(given = rules) {
    const clock = createFakeClock();
    const limiter = createRateLimiter({ rules: given, clock });
    const left = async () =>
      Object.fromEntries((await limiter.peek(ada)).rules.map(({ rule, remaining }) => [rule, remaining]));
    return { limiter, clock, left };
  }
});

async function apply(rules: readonly RuleState[], headers: HeaderFields) {
  const { limiter, lower } = create(rules);
  const corrections = await applyProviderHeaders(limiter, openai, headers, { nowMs });
  expect(lower.mock.calls).toEqual(corrections.length === 0 ? [] : [[openai, corrections]]);
  return corrections;
}

function create(rules: readonly RuleState[]) {
  const peek = jest.fn<RateLimiter['peek']>(async () => decisionOf(...rules));
  const lower = jest.fn<RateLimiter['lower']>(async () => {});
  return { limiter: { peek, lower }, peek, lower };
}
