import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toBigInt, toNanoUsd } from '../../src/price/nano-usd.ts';

describe('an amount of US dollars', () => {
  test.each([
    ['3', 3_000_000_000n],
    [0.1, 100_000_000n],
    ['0.075', 75_000_000n],
    [0.005, 5_000_000n],
    ['1e-3', 1_000_000n],
    [1e-7, 100n],
    ['12.5e1', 125_000_000_000n],
    [' 0.0000000001 ', 1n],
    [0.1 + 0.2, 300_000_001n],
    [0, 0n],
  ])('%p is so many billionths, rounded up', (amount, nanoUsd) => {
    expect(toNanoUsd('price', amount)).toBe(nanoUsd);
  });

  test.each([-1, '1,5', '', 'free', Number.NaN, Number.POSITIVE_INFINITY, '$3', '0x10'])('%p is none', (amount) => {
    expect(() => toNanoUsd('price', amount)).toThrow(/price/);
  });

  test('is exact for every decimal of up to nine places', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 18n), (nanoUsd) => {
        const digits = String(nanoUsd).padStart(10, '0');
        return toNanoUsd('price', `${digits.slice(0, -9)}.${digits.slice(-9)}`) === nanoUsd;
      }),
    );
  });
});

test('a whole number is the same as a bigint', () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (whole) => toBigInt(whole) === BigInt(whole)));
  for (const whole of [0, -1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    expect(toBigInt(whole)).toBe(BigInt(whole));
  }
});
