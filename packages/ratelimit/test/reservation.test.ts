import { describe, expect, test } from '@jest/globals';
import { type LimitCosts, type LimitSubject, sources } from '@sage-adk/core';
import { recordOperations } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { type Rule, usd } from '../src/index.ts';
import { ada, createLimiter, leftOf, slots, tokens } from './support/limiters.ts';
import { granted, refused } from './support/outcomes.ts';

const budget: Rule = { name: 'budget', scope: 'user', unit: 'cost', limit: usd(1), per: 'hour' };

describe('a reservation', () => {
  test('RL2: takes the estimate and is settled with what was used', async () => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve(ada, { inputTokens: 300, outputTokens: 500 }));
    expect(await leftOf(limiter)).toBe(200);
    expect(await reservation.settle({ inputTokens: 290, outputTokens: 10 })).toEqual({ settled: true, overspent: [] });
    expect(await leftOf(limiter)).toBe(700);
  });

  test('has an id of its own, of 128 bits', async () => {
    const { limiter } = createLimiter(tokens);
    const ids = new Set<string>();
    for (let n = 0; n < 600; n++) ids.add(granted(await limiter.reserve(ada)).id);
    expect(ids.size).toBe(600);
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  });

  test('is settled once: what comes after the first word does nothing', async () => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve(ada, { tokens: 800 }));
    await reservation.settle({ tokens: 100 });
    expect(await reservation.cancel()).toEqual({ settled: false, overspent: [] });
    expect(await reservation.settle({ tokens: 900 })).toEqual({ settled: false, overspent: [] });
    expect(await leftOf(limiter)).toBe(900);
  });

  test('keeps what was reserved where nothing is said of what was used', async () => {
    const { limiter } = createLimiter(tokens, { name: 'calls', scope: 'user', limit: 5, per: 'minute' });
    await granted(await limiter.reserve(ada, { tokens: 800 })).settle();
    await granted(await limiter.reserve(ada, { tokens: 100 })).settle({ tokens: 50 });
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([150, 3]);
  });

  test('gives everything back when it is cancelled', async () => {
    const { limiter } = createLimiter(tokens, slots, budget);
    const estimate = { tokens: 800, costNanoUsd: 500_000_000n };
    const reservation = granted(await limiter.reserve(ada, estimate));
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([200, 1, usd(0.5)]);
    await reservation.cancel();
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([1_000, 2, usd(1)]);
  });

  test('that failed after the provider was asked keeps the input', async () => {
    const { limiter } = createLimiter(tokens, { ...tokens, name: 'output', unit: 'output_tokens' });
    const reservation = granted(await limiter.reserve(ada, { inputTokens: 300, outputTokens: 500 }));
    await reservation.fail();
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([700, 1_000]);
  });

  test.each<[LimitCosts, number]>([
    [{ tokens: 900 }, 900],
    [{ tokens: 900, outputTokens: 300 }, 600],
    [{ tokens: 900, inputTokens: 100 }, 100],
    [{ inputTokens: 600, outputTokens: 300 }, 600],
    [{ outputTokens: 300 }, 0],
  ])('of %p that failed keeps %p tokens', async (estimate, used) => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve(ada, estimate));
    reservation.contacted();
    await reservation[Symbol.asyncDispose]();
    expect(await leftOf(limiter)).toBe(1_000 - used);
  });

  test('that failed keeps the input of what was charged meanwhile, and of an assumption no more than was reserved', async () => {
    const { limiter } = createLimiter({ rules: [tokens], defaultEstimate: { tokens: 5_000 } });
    const reservation = granted(await limiter.reserve(ada, { tokens: 200, inputTokens: 100, outputTokens: 100 }));
    await reservation.charge({ inputTokens: 400, outputTokens: 100 });
    await reservation.fail();
    expect(await leftOf(limiter)).toBe(500);
    const assumed = granted(await limiter.reserve({ user: 'bob' }));
    expect(await assumed.fail()).toEqual({ settled: true, overspent: [] });
  });

  test('keeps what was charged and not answered yet when it is settled', async () => {
    const { limiter } = createLimiter(tokens);
    for (const [end, left] of [
      ['settle', 500],
      ['fail', 500],
      ['cancel', 1_000],
    ] as const) {
      const reservation = granted(await limiter.reserve(ada, { tokens: 100 }));
      const charging = [reservation.charge({ tokens: 300 }), reservation.charge({ tokens: 100 })];
      const ending = reservation[end]();
      await expect(reservation.charge({ tokens: 1 })).rejects.toThrow('is settled');
      expect((await Promise.all(charging)).map(({ allowed }) => allowed)).toEqual([true, true]);
      expect(await ending).toMatchObject({ settled: true });
      expect(await leftOf(limiter)).toBe(left);
      await limiter.reset(ada);
    }
  });

  test('that is settled with what is no cost rejects, keeps the estimate and frees its slot', async () => {
    const { limiter } = createLimiter(tokens, { ...slots, limit: 1 });
    const reservation = granted(await limiter.reserve(ada, { tokens: 100 }));
    await expect(reservation.settle({ tokens: 99.5 })).rejects.toThrow('costs.tokens is 99.5');
    expect(await reservation.cancel()).toMatchObject({ settled: false });
    const run = limiter.run(ada, { tokens: 100 }, async () => ({ value: 1, usage: { tokens: -1 } }));
    await expect(run).rejects.toThrow('costs.tokens is -1');
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([800, 1]);
  });

  test('of a subject to which no rule applies is settled, and nothing is kept of it', async () => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve({ provider: 'openai' }, { tokens: 5 }));
    expect(
      sources()
        .find(({ name }) => name === 'limiter.memory')
        ?.read()['reservations'],
    ).toBe(0);
    expect(await reservation.extend(1_000)).toBe(true);
    expect((await reservation.charge({ tokens: 5 })).allowed).toBe(true);
    expect(await reservation.settle({ tokens: 9 })).toEqual({ settled: true, overspent: [] });
  });

  test('is settled although a listener of what comes back throws', async () => {
    const { limiter } = createLimiter(tokens);
    const told: string[] = [];
    limiter.onRelease(() => {
      throw new Error('a listener that fails');
    });
    limiter.onRelease((released) => void told.push(...released.map(({ rule }) => rule)));
    expect(await granted(await limiter.reserve(ada, { tokens: 5 })).settle()).toMatchObject({ settled: true });
    expect(told).toEqual(['tokens']);
  });

  test('RL23: more than was reserved is charged, owed and told', async () => {
    using recorder = recordOperations();
    const { limiter, clock } = createLimiter(budget);
    const reservation = granted(await limiter.reserve(ada, { costNanoUsd: 900_000_000n }));
    expect(await reservation.settle({ costNanoUsd: 1_200_000_000n })).toEqual({
      settled: true,
      overspent: [{ rule: 'budget', units: 200_000_000 }],
    });
    expect(recorder.emitted('budget.exhausted')).toEqual([{ rule: 'budget', period: 'hour', handling: 'debt' }]);
    expect((await limiter.reserve(ada, { costNanoUsd: 1n })).allowed).toBe(false);
    clock.advance(3_600_000 + 36_000);
    expect((await limiter.reserve(ada, { costNanoUsd: 900_000_000n })).allowed).toBe(true);
  });

  test('takes nothing where any rule denies, and tells which', async () => {
    const { limiter } = createLimiter(tokens, slots);
    const denial = refused(await limiter.reserve(ada, { tokens: 1_001 }));
    expect(denial).toMatchObject({ rule: 'tokens', limit: 1_000, remaining: 1_000, retryAfterMs: undefined });
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([1_000, 2]);
  });

  test('takes more while it runs, all or nothing', async () => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve(ada, { tokens: 600 }));
    expect((await reservation.charge({ tokens: 300 })).allowed).toBe(true);
    expect(await reservation.charge({ tokens: 300 })).toMatchObject({ allowed: false, remaining: 100 });
    await reservation.settle();
    expect(await leftOf(limiter)).toBe(100);
    await expect(reservation.charge({ tokens: 1 })).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_RESERVATION_OVER' });
  });

  test('takes more by the rules it was made by, also after its subject got others', async () => {
    const { limiter } = createLimiter({ ...tokens, strategy: 'token-bucket' });
    const reservation = granted(await limiter.reserve(ada, { tokens: 600 }));
    limiter.set('tokens', { limit: 2_000 }, ada);
    expect((await reservation.charge({ tokens: 300 })).remaining).toBe(100);
    expect((await reservation.charge({ tokens: 300 })).allowed).toBe(false);
    limiter.set('tokens', undefined, ada);
    limiter.set('tokens', { limit: 1_500 });
    expect((await reservation.charge({ tokens: 300 })).remaining).toBe(300);
    await reservation.settle({ tokens: 1_100 });
    expect(await leftOf(limiter)).toBe(400);
  });

  test('made twice under one key takes once', async () => {
    const { limiter } = createLimiter(tokens);
    const [first, again] = [1, 2].map(() => limiter.reserve(ada, { tokens: 600 }, { idempotencyKey: 'order 1' }));
    expect([(await first)?.allowed, (await again)?.allowed]).toEqual([true, true]);
    expect(await leftOf(limiter)).toBe(400);
  });

  test("is not another user's or tenant's, whose call has the same key", async () => {
    const { limiter } = createLimiter(
      { ...budget, scope: 'global' },
      { ...budget, name: 'own', limit: usd(0.1) },
      slots,
    );
    const reserve = (subject: LimitSubject, dollars: number) =>
      limiter.reserve(subject, { costNanoUsd: BigInt(usd(dollars)) }, { idempotencyKey: 'order 1' });
    const first = granted(await reserve(ada, 0.1));
    expect(refused(await reserve({ user: 'mallory' }, 0.5)).rule).toBe('own');
    const others: LimitSubject[] = [{ user: 'bob' }, { tenant: 'acme', user: 'eve' }, { tenant: 'zeta', user: 'eve' }];
    const made = await Promise.all(others.map((other) => reserve(other, 0.05)));
    expect(made.map(({ decision }) => decision.rules[2]?.remaining)).toEqual([1, 1, 0]);
    await expect(first.settle()).resolves.toMatchObject({ settled: true });
    expect((await limiter.peek({})).remaining).toBe(usd(0.75));
  });

  test('that a cheaper model was given is found again under its key', async () => {
    const { limiter } = createLimiter({ ...tokens, scope: 'provider', limit: 100 });
    const onDenied = () => ({ subject: { provider: 'cheap' } });
    const reserve = () =>
      limiter.reserve({ ...ada, provider: 'dear' }, { tokens: 90 }, { idempotencyKey: 'k', onDenied });
    await limiter.charge({ provider: 'dear' }, { tokens: 50 });
    for (let n = 0; n < 2; n++) granted(await reserve());
    expect((await limiter.peek({ provider: 'cheap' })).remaining).toBe(10);
  });

  test('ends with its scope: cancelled, or without its output once the provider was asked', async () => {
    const { limiter } = createLimiter(tokens);
    const estimate = { inputTokens: 100, outputTokens: 400 };
    await granted(await limiter.reserve(ada, estimate))[Symbol.asyncDispose]();
    expect(await leftOf(limiter)).toBe(1_000);
    const reservation = granted(await limiter.reserve(ada, estimate));
    reservation.contacted();
    await reservation[Symbol.asyncDispose]();
    expect(await leftOf(limiter)).toBe(900);
  });
});

describe('a limit that is changed while calls run', () => {
  test('drains at its new rate while reservations from before are settled', async () => {
    const { limiter, clock } = createLimiter({
      name: 'all',
      scope: 'global',
      unit: 'tokens',
      limit: 600,
      per: 'minute',
    });
    const held = [];
    for (let n = 0; n < 250; n++) held.push(granted(await limiter.reserve(ada, { tokens: 1 })));
    await limiter.charge(ada, { tokens: 350 });
    limiter.set('all', { limit: 601 });
    let admitted = 0;
    for (const each of held) {
      clock.advance(50);
      await each.settle();
      if (limiter.checkSync(ada, { tokens: 1 }).allowed) admitted++;
    }
    expect(admitted).toBe(126);
  });
});

describe('what an estimate leaves open', () => {
  test('RL23: is at least one unit, and told: nobody passes a limit that is used up by saying nothing', async () => {
    const { limiter } = createLimiter(budget);
    const reservation = granted(await limiter.reserve(ada));
    expect(reservation.assumed).toEqual(['cost']);
    expect(await leftOf(limiter)).toBe(usd(1) - 1);
    await reservation.settle({ costNanoUsd: 1_000_000_000n });
    expect((await limiter.reserve(ada)).allowed).toBe(false);
  });

  test('is taken from the default, and told', async () => {
    const { limiter } = createLimiter({ rules: [tokens, budget], defaultEstimate: { outputTokens: 400 } });
    const reservation = granted(await limiter.reserve(ada, { inputTokens: 100 }));
    expect(reservation.assumed).toEqual(['cost']);
    expect(reservation.granted).toEqual({ inputTokens: 100, outputTokens: 400 });
    expect(await leftOf(limiter)).toBe(500);
  });

  test('never makes a call too large for a limit that it would fit', async () => {
    const small: Rule = { ...tokens, limit: 200 };
    const { limiter } = createLimiter({ rules: [small], defaultEstimate: { outputTokens: 1_024 } });
    expect((await limiter.reserve(ada, { inputTokens: 50 })).allowed).toBe(true);
    expect(await leftOf(limiter)).toBe(0);
    expect(refused(await limiter.reserve({ user: 'bob' }, { inputTokens: 201 })).retryAfterMs).toBeUndefined();
  });
});

describe('RL6: a limit that does not suffice', () => {
  test('denies by default', async () => {
    using recorder = recordOperations();
    const { limiter } = createLimiter(budget);
    expect((await limiter.reserve(ada, { costNanoUsd: 2_000_000_000n })).allowed).toBe(false);
    expect(recorder.emitted('budget.exhausted')).toEqual([{ rule: 'budget', period: 'hour', handling: 'reject' }]);
    expect(recorder.emitted('limiter.denied')).toHaveLength(1);
  });

  test('is clamped to what is left of the tokens', async () => {
    const { limiter } = createLimiter(tokens, { ...tokens, name: 'output', unit: 'output_tokens', limit: 600 });
    const estimate = { inputTokens: 300, outputTokens: 900 };
    const reservation = granted(await limiter.reserve(ada, estimate, { onDenied: 'clamp' }));
    expect(reservation).toMatchObject({ outputTokens: 600, granted: { inputTokens: 300, outputTokens: 600 } });
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([100, 0]);
  });

  test('is clamped to the most that all limits have left, and never to less', async () => {
    const amount = fc.integer({ min: 1, max: 60 });
    await fc.assert(
      fc.asyncProperty(amount, amount, amount, amount, async (all, output, money, inputTokens) => {
        const { limiter } = createLimiter(
          { ...tokens, limit: all },
          { ...tokens, name: 'output', unit: 'output_tokens', limit: output },
          { ...budget, limit: money },
        );
        const estimateOf = (outputTokens: number) => ({
          tokens: inputTokens + outputTokens,
          inputTokens,
          outputTokens,
          costNanoUsd: BigInt(inputTokens + outputTokens),
        });
        const most = Math.min(all - inputTokens, output, money - inputTokens, 50);
        const options = { onDenied: 'clamp', outputTokenNanoUsd: 1 } as const;
        const outcome = await limiter.reserve(ada, estimateOf(50), options);
        expect(outcome.allowed).toBe(most >= 1);
        if (outcome.allowed) expect(outcome.granted.outputTokens).toBe(most);
        await limiter.close();
      }),
    );
  });

  test('is clamped to what is left of the money, in output tokens', async () => {
    const { limiter } = createLimiter(budget);
    const estimate = { inputTokens: 1_000, outputTokens: 10_000, costNanoUsd: 1_500_000_000n };
    const options = { onDenied: 'clamp', outputTokenNanoUsd: 100_000 } as const;
    const reservation = granted(await limiter.reserve(ada, estimate, options));
    expect(reservation).toMatchObject({ outputTokens: 5_000, granted: { costNanoUsd: 1_000_000_000n } });
    expect(await leftOf(limiter)).toBe(0);
  });

  test.each([0, 10_000])('is denied where fewer than %p output tokens make it no cheaper', async (outputTokens) => {
    const { limiter } = createLimiter(budget);
    const estimate = { inputTokens: 1_000, outputTokens, costNanoUsd: 1_500_000_000n };
    const left = await leftOf(limiter);
    expect((await limiter.reserve(ada, estimate, { onDenied: 'clamp' })).allowed).toBe(false);
    expect(await leftOf(limiter)).toBe(left);
  });

  test('is not clamped to nothing, nor where waiting is all that helps', async () => {
    const { limiter } = createLimiter(tokens, { name: 'calls', scope: 'user', limit: 2, per: 'minute' });
    const clamp = { onDenied: 'clamp' } as const;
    expect((await limiter.reserve(ada, { inputTokens: 1_000, outputTokens: 5 }, clamp)).allowed).toBe(false);
    granted(await limiter.reserve(ada, { inputTokens: 999, outputTokens: 5 }, clamp));
    expect((await limiter.reserve(ada, { inputTokens: 1, outputTokens: 5 }, clamp)).allowed).toBe(false);
  });

  test('is not clamped where only the input is known: that is sent whole', async () => {
    const { limiter } = createLimiter(tokens);
    await limiter.charge(ada, { tokens: 900 });
    const clamp = { onDenied: 'clamp' } as const;
    expect((await limiter.reserve(ada, { inputTokens: 500 }, clamp)).allowed).toBe(false);
    expect(granted(await limiter.reserve(ada, { tokens: 500 }, clamp)).granted).toEqual({ tokens: 100 });
  });

  test('that a call is too large for, but for its output, is denied with the wait for what the limit admits at most', async () => {
    const { limiter, clock } = createLimiter(tokens);
    const estimate = { inputTokens: 10, outputTokens: 16_384 };
    const clamp = { onDenied: 'clamp' } as const;
    await granted(await limiter.reserve(ada, estimate, clamp)).settle();
    const { decision } = await limiter.reserve(ada, estimate, clamp);
    expect(decision.allowed).toBe(false);
    clock.advance(decision.retryAfterMs ?? 0);
    expect(granted(await limiter.reserve(ada, estimate, clamp)).outputTokens).toBe(990);
    expect((await limiter.reserve(ada, estimate)).decision.retryAfterMs).toBeUndefined();
  });

  test('is handed to a function, which may name a cheaper model', async () => {
    using recorder = recordOperations();
    const { limiter } = createLimiter(budget);
    const onDenied = (decision: { violated: readonly { rule: string }[] }) =>
      decision.violated[0]?.rule === 'budget' ? { estimate: { costNanoUsd: 20_000_000n } } : undefined;
    const reservation = granted(await limiter.reserve(ada, { costNanoUsd: 2_000_000_000n }, { onDenied }));
    expect(reservation.granted).toEqual({ costNanoUsd: 20_000_000n });
    expect(recorder.emitted('budget.exhausted')).toEqual([{ rule: 'budget', period: 'hour', handling: 'alternative' }]);
    expect(recorder.emitted('limiter.denied')).toEqual([]);
  });

  test('a function that returns nothing denies', async () => {
    const { limiter } = createLimiter(budget);
    const outcome = await limiter.reserve(ada, { costNanoUsd: 2_000_000_000n }, { onDenied: async () => undefined });
    expect(outcome.allowed).toBe(false);
  });
});

describe('running within a reservation', () => {
  test('settles with the usage and returns the value', async () => {
    const { limiter } = createLimiter(tokens, slots);
    const value = await limiter.run(ada, { tokens: 500 }, async ({ decision }) => {
      expect(decision.allowed).toBe(true);
      return { value: 'text', usage: { tokens: 120 } };
    });
    expect(value).toBe('text');
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([880, 2]);
  });

  test('throws the denial', async () => {
    const { limiter } = createLimiter({ ...tokens, limit: 10 });
    const run = (cost: number) => limiter.run(ada, { tokens: cost }, async () => ({ value: 1 }));
    await expect(run(11)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_NEVER_ALLOWED', status: 422 });
    await run(10);
    await expect(run(1)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_EXCEEDED', status: 429, retryAfterMs: 60_000 });
  });

  test('gives everything back when the call throws, or the output once the provider was asked', async () => {
    const { limiter } = createLimiter(tokens, slots);
    const failing = (asked: boolean) =>
      limiter.run(ada, { inputTokens: 100, outputTokens: 300 }, async (reservation) => {
        if (asked) reservation.contacted();
        throw new Error('no answer');
      });
    await expect(failing(false)).rejects.toThrow('no answer');
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([1_000, 2]);
    await expect(failing(true)).rejects.toThrow('no answer');
    expect((await limiter.peek(ada)).rules.map(({ remaining }) => remaining)).toEqual([900, 2]);
  });
});

describe('close', () => {
  test('leaves reservations that can be settled without harm', async () => {
    const { limiter } = createLimiter(tokens);
    const reservation = granted(await limiter.reserve(ada, { tokens: 5 }));
    await limiter.close();
    expect(await reservation.settle({ tokens: 50 })).toEqual({ settled: false, overspent: [] });
    await expect(limiter.reserve(ada)).rejects.toMatchObject({ code: 'SAGE_RATELIMIT_CLOSED' });
  });
});
