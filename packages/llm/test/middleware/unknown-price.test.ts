import { describe, expect, test } from '@jest/globals';
import type { LimiterPolicy } from '@sage-adk/core';
import { createPriceTable, wrapFetch } from '../../src/index.ts';
import { createPurse, type Purse, unitPrice } from '../support/policies.ts';
import { useRig } from '../support/rig.ts';
import { chat, wires } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;
const plenty = 1_000_000_000n;
const unpriced = { more: { model: 'unpriced-1' } };

/** A purse that says whether it is one of money. */
function purse(countsCost?: boolean): Purse & LimiterPolicy {
  const made = createPurse(plenty);
  return countsCost === undefined ? made : { ...made, reserved: made.reserved, countsCost: () => countsCost };
}

describe('a price that nobody knows', () => {
  test.each([
    ['of money', true, unitPrice, 422],
    ['of money, without any price', true, undefined, 422],
    ['of no money', false, unitPrice, 200],
    ['of no money, without any price', false, undefined, 200],
    ['that cannot tell', undefined, unitPrice, 422],
    ['that cannot tell, without any price', undefined, undefined, 200],
  ])('OM10, RL5: under a limit %s it is refused only where it must be', async (_name, countsCost, price, status) => {
    const limiter = purse(countsCost);
    const response = await send(chat, { limiter, ...(price !== undefined && { price }) }, unpriced);
    expect(response.status).toBe(status);
    const body = await response.text();
    if (status === 422) expect(JSON.parse(body)).toMatchObject({ error: 'price_unknown' });
    expect(rig.provider.requests).toHaveLength(status === 422 ? 0 : 1);
  });

  test('OM10: is unknown in the report, and not 0', async () => {
    await (await send(chat, { limiter: purse(), price: unitPrice, unknownPrice: 'allow' }, unpriced)).text();
    expect(calls()[0]?.attributes).toMatchObject({ inputTokens: expect.any(Number) });
    expect(calls()[0]?.attributes).not.toHaveProperty('costNanoUsd');
  });

  test('RL5: can be assumed: limits go by that, the report still has none', async () => {
    const limiter = purse(true);
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    const unknownPrice = { assume: { input: 15, output: 75 } };
    await (await send(chat, { limiter, price: unitPrice, unknownPrice }, unpriced)).text();
    expect(limiter.reserved[0]?.end).toMatchObject({ costNanoUsd: BigInt(12 * 15_000 + 34 * 75_000) });
    expect(calls()[0]?.attributes).not.toHaveProperty('costNanoUsd');
    expect(() => send(chat, { limiter, unknownPrice: { assume: { input: -1, output: 0 } } })).toThrow(/assume\.input/);
  });

  test('that is assumed leaves those that are known as they are', async () => {
    const limiter = purse(true);
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    await (await send(chat, { limiter, price: unitPrice, unknownPrice: { assume: { input: 15, output: 75 } } })).text();
    expect(limiter.reserved[0]?.end).toMatchObject({ costNanoUsd: 352n });
  });

  test.each(wires.map((wire) => [wire.name, wire] as const))('is known by a table, through %s', async (_name, wire) => {
    const price = createPriceTable({ prices: { [wire.provider]: { [wire.model]: { input: 1, output: 10 } } } });
    const limiter = purse(true);
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    await (await send(wire, { limiter, price })).text();
    expect(limiter.reserved[0]?.end).toMatchObject({ costNanoUsd: 352_000n });
    expect(calls()[0]?.attributes.costNanoUsd).toBe(352_000n);
  });
});

describe('what cannot be is refused at once, and is no way around a limit:', () => {
  test.each<[object, string]>([
    [{ unknownPrice: 'deny' }, 'unknownPrice'],
    [{ unknownPrice: {} }, 'unknownPrice'],
    [{ unknownPrice: null }, 'unknownPrice'],
    [{ defaultOutputTokens: Number.NaN }, 'defaultOutputTokens'],
    [{ defaultOutputTokens: 0 }, 'defaultOutputTokens'],
    [{ defaultOutputTokens: -5 }, 'defaultOutputTokens'],
  ])('%j', (policies, option) => {
    expect(() => wrapFetch(fetch, { limiter: purse(), ...policies })).toThrow(`The option ${option} is`);
  });

  test.each([-5, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a most of %p output tokens is none', async (most) => {
    const limiter = purse();
    await (await send(chat, { limiter, price: unitPrice, maxOutputTokens: () => most })).text();
    expect(limiter.reserved[0]?.estimate.outputTokens).toBe(16_384);
  });
});
