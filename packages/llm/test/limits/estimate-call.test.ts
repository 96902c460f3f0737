import { expect, test } from '@jest/globals';
import type { PricePort } from '@sage-adk/core';
import fc from 'fast-check';
import type { LlmCall } from '../../src/call.ts';
import { createPriceTable } from '../../src/index.ts';
import { estimateCall } from '../../src/limits/estimate-call.ts';
import { pricesBehind } from '../../src/price/price-port.ts';

const usd = (billionths: number): string => `${billionths}e-9`;
const tokens = fc.oneof(fc.nat(300), fc.nat(2_000_000));
const rates = fc.record({
  input: fc.nat(5_000_000).map(usd),
  output: fc.nat(5_000_000).map(usd),
  cacheWrite: fc.option(fc.nat(5_000_000).map(usd), { nil: undefined }),
  longCacheWrite: fc.option(fc.nat(5_000_000).map(usd), { nil: undefined }),
});

test('RL23: what is known of a table estimates a call as what its whole costs tell', () => {
  const facts = fc.record({
    inputTokens: tokens,
    outputTokens: tokens,
    writes: fc.boolean(),
    writesLong: fc.boolean(),
  });
  fc.assert(
    fc.property(rates, rates, fc.constantFrom('known', 'unknown'), facts, (plain, long, model, about) => {
      const some = (all: object) => Object.fromEntries(Object.entries(all).filter(([, rate]) => rate !== undefined));
      const known = { ...some(plain), longInput: [{ above: 200, ...some(long) }] };
      const price = createPriceTable({ prices: { any: { known: known as never } } });
      const call = callOf(model, about);
      const other: PricePort = { costNanoUsd: (asked) => price.costNanoUsd(asked) };
      const prices = pricesBehind(price);
      expect([prices === undefined, pricesBehind(other)]).toEqual([false, undefined]);
      expect(estimateCall(call, { ...options, price, prices })).toEqual(
        estimateCall(call, { ...options, price: other, prices: undefined }),
      );
    }),
  );
});

const options = { defaultOutputTokens: 1_000, maxOutputOf: () => undefined };

interface Facts {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly writes: boolean;
  readonly writesLong: boolean;
}

function callOf(model: string, { inputTokens, outputTokens, writes, writesLong }: Facts): LlmCall {
  return {
    provider: 'any',
    api: 'any',
    model,
    stream: false,
    signal: undefined,
    outer: undefined,
    estimateInput: () => inputTokens,
    mayWriteCache: () => writes,
    mayWriteLongCache: () => writesLong,
    maxOutputTokens: outputTokens,
    choices: 1,
    repeatable: true,
  };
}
