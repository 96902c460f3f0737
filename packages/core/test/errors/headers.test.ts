import { describe, expect, test } from '@jest/globals';
import { headerOf, parseRateLimitHeaders, parseRetryAfter } from '../../src/index.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');

describe('Retry-After', () => {
  test.each([
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'Retry-After': 'Fri, 02 Jan 2026 03:04:15 GMT' }, 10_000],
    [{ 'retry-after': 'Fri, 02 Jan 2026 03:04:00 GMT' }, 0],
    [{ 'retry-after-ms': '120', 'retry-after': '2' }, 120],
    [{ 'x-ms-retry-after-ms': '30' }, 30],
    [{ 'retry-after': 'Friday, 02-Jan-26 03:04:15 GMT' }, 10_000],
    [{ 'retry-after': '2026-01-02T03:04:15Z' }, 10_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'soon 1' }, undefined],
    [{ 'retry-after': 'Tue, 30 Feb 1' }, undefined],
    [{ 'retry-after': '9'.repeat(400) }, 1e15],
    [{ 'retry-after-ms': '9'.repeat(400) }, 1e12],
    [{ 'retry-after': '-1' }, undefined],
    [{}, undefined],
  ])('%j is %s ms', (fields, expected) => {
    expect(parseRetryAfter(fields, nowMs)).toBe(expected);
    expect(parseRetryAfter(new Headers(fields as Record<string, string>), nowMs)).toBe(expected);
  });
});

describe('rate-limit fields of providers', () => {
  test('OpenAI sends durations', () => {
    const fields = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0.5s',
    };
    expect(parseRateLimitHeaders(fields, nowMs)).toEqual([
      { unit: 'requests', limit: 60, remaining: 59, resetMs: 1_000 },
      { unit: 'tokens', limit: 150_000, remaining: 149_984, resetMs: 360_500 },
    ]);
  });

  test('Anthropic sends instants', () => {
    const fields = new Headers({
      'anthropic-ratelimit-input-tokens-limit': '50000',
      'anthropic-ratelimit-input-tokens-remaining': '1',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-02T03:05:05Z',
    });
    expect(parseRateLimitHeaders(fields, nowMs)).toEqual([
      { unit: 'input_tokens', limit: 50_000, remaining: 1, resetMs: 60_000 },
    ]);
  });

  test('what is malformed is left out', () => {
    expect(parseRateLimitHeaders({ 'x-ratelimit-limit-requests': 'many' })).toEqual([]);
    expect(
      parseRateLimitHeaders({ 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': 'later' }),
    ).toEqual([{ unit: 'requests', limit: undefined, remaining: 3, resetMs: undefined }]);
  });
});

test('a header is found in any spelling and form', () => {
  expect(headerOf({ 'X-Name': ['a', 'b'] }, 'x-name')).toBe('a');
  expect(headerOf(new Headers({ 'X-Name': 'a' }), 'x-name')).toBe('a');
  expect(headerOf({ other: 'x' }, 'x-name')).toBeUndefined();
  expect(headerOf({ 'x-name': [5] } as never, 'x-name')).toBeUndefined();
});
