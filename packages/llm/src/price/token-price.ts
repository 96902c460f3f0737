/** What the tokens of a model cost, and what a usage costs by that. */
import type { Usage } from '@sage-adk/core';
import { requireWhole } from '@sage-adk/core';
import { roundedUp, toBigInt, toNanoUsd, type UsdAmount } from './nano-usd.ts';

/** US dollars for a million tokens. */
export interface TokenRates {
  readonly input: UsdAmount;
  readonly output: UsdAmount;
  /** Input that was read from the provider's cache. @default as `input` */
  readonly cachedInput?: UsdAmount;
  /** Input that was written to it. @default as `input` */
  readonly cacheWrite?: UsdAmount;
  /** Input that was written to it to be kept for an hour. @default as `cacheWrite` */
  readonly longCacheWrite?: UsdAmount;
}

export interface TokenPrice extends TokenRates {
  /** US dollars for the call itself. @default 0 */
  readonly perCall?: UsdAmount;
  /** Other rates for calls of a long input: all their tokens, not only those beyond, cost these. */
  readonly longInput?: readonly LongInputRates[];
}

export interface LongInputRates extends Partial<TokenRates> {
  /** With more input tokens than these, cached ones included. */
  readonly above: number;
}

/** A price that was read once: the longest input first; the last one is of any length. */
export type CompiledPrice = readonly PriceTier[];

/** Billionths of a US dollar for a million tokens, and for a million calls. */
export interface PriceTier {
  readonly above: number;
  readonly perCall: bigint;
  readonly input: bigint;
  readonly output: bigint;
  readonly cachedInput: bigint;
  readonly cacheWrite: bigint;
  readonly longCacheWrite: bigint;
  /** The same, for sums that they hold exactly: those of nearly all calls. */
  readonly numbers: Readonly<Record<'perCall' | RateName, number>>;
  /** Billionths of a US dollar for one output token; undefined where it costs nothing. */
  readonly outputTokenNanoUsd: number | undefined;
  /** Whether input that is written to the cache may cost more than other input. */
  readonly writesCostMore: boolean;
}

type RateName = 'input' | 'output' | 'cachedInput' | 'cacheWrite' | 'longCacheWrite';

const million = 1_000_000n;

/** @param name of the option, for who got it wrong. Throws `SAGE_CORE_INVALID_OPTION`. */
export function compilePrice(price: TokenPrice, name: string): CompiledPrice {
  const { perCall = 0, longInput = [], ...rates } = price;
  const perCallMillion = toNanoUsd(`${name}.perCall`, perCall) * million;
  const longer = longInput.map(({ above, ...other }) => {
    requireWhole(`${name}.longInput.above`, above, 0);
    return tierOf(above, { ...rates, ...other }, perCallMillion, `${name}.longInput`);
  });
  return [tierOf(-1, rates, perCallMillion, name), ...longer].toSorted((a, b) => b.above - a.above);
}

/** The rates of a call with so much input. */
export function tierFor(price: CompiledPrice, inputTokens: number): PriceTier | undefined {
  for (const tier of price) if (inputTokens > tier.above) return tier;
  return undefined;
}

/**
 * Billionths of a US dollar, in whole numbers throughout; the sum is rounded up once. Cached input and cache writes are parts of the input, long cache writes
 * of the cache writes, and reasoning is paid as the output that it is part of.
 */
export function priceOf(price: CompiledPrice, usage: Usage): bigint {
  const tier = tierFor(price, usage.inputTokens);
  return tier === undefined ? 0n : priceAt(tier, usage);
}

/** {@link priceOf} by the rates of its input. */
export function priceAt(tier: PriceTier, usage: Usage): bigint {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, longCacheWriteTokens = 0 } = usage;
  const plain = Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens);
  const shortWrites = Math.max(0, cacheWriteTokens - longCacheWriteTokens);
  const { numbers } = tier;
  const small =
    numbers.perCall +
    plain * numbers.input +
    cachedInputTokens * numbers.cachedInput +
    shortWrites * numbers.cacheWrite +
    longCacheWriteTokens * numbers.longCacheWrite +
    outputTokens * numbers.output;
  // Every part is whole and no larger than the sum, so a sum that is exact was made of exact parts.
  if (Math.abs(small) <= Number.MAX_SAFE_INTEGER) {
    const whole = Math.floor(small / 1e6);
    // Where the quotient was rounded to the next whole number, that is the answer, and nothing is left.
    return toBigInt(small > whole * 1e6 ? whole + 1 : whole);
  }
  const total =
    tier.perCall +
    BigInt(plain) * tier.input +
    BigInt(cachedInputTokens) * tier.cachedInput +
    BigInt(shortWrites) * tier.cacheWrite +
    BigInt(longCacheWriteTokens) * tier.longCacheWrite +
    BigInt(outputTokens) * tier.output;
  return roundedUp(total, million);
}

function tierOf(above: number, rates: TokenRates, perCall: bigint, name: string): PriceTier {
  const { input, output, cachedInput = input, cacheWrite = input, longCacheWrite = cacheWrite } = rates;
  const nano = {
    input: toNanoUsd(`${name}.input`, input),
    output: toNanoUsd(`${name}.output`, output),
    cachedInput: toNanoUsd(`${name}.cachedInput`, cachedInput),
    cacheWrite: toNanoUsd(`${name}.cacheWrite`, cacheWrite),
    longCacheWrite: toNanoUsd(`${name}.longCacheWrite`, longCacheWrite),
  };
  const numbers = {
    perCall: Number(perCall),
    input: Number(nano.input),
    output: Number(nano.output),
    cachedInput: Number(nano.cachedInput),
    cacheWrite: Number(nano.cacheWrite),
    longCacheWrite: Number(nano.longCacheWrite),
  };
  return {
    above,
    perCall,
    ...nano,
    numbers,
    outputTokenNanoUsd: nano.output > 0n ? numbers.output / 1e6 : undefined,
    writesCostMore: nano.cacheWrite > nano.input || nano.longCacheWrite > nano.input,
  };
}
