import { afterEach, expect, jest, test } from '@jest/globals';
import { toHrTime, wallOriginMs } from '../../src/spans/wall-clock.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

test('the origin stays as it is while the clocks agree, and follows a wall clock that was set', () => {
  const originMs = wallOriginMs();
  expect(wallOriginMs()).toBe(originMs);
  const now = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
  expect(wallOriginMs() - originMs).toBeGreaterThan(3_599_000);
});

test('a time is split into whole seconds and nanoseconds', () => {
  expect(toHrTime(1_700_000_000_123.456)).toEqual([1_700_000_000, expect.closeTo(123_456_000, -3)]);
});
