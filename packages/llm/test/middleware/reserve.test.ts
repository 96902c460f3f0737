import { describe, expect, test } from '@jest/globals';
import { type RetryPolicy, run } from '@sage-adk/core';
import type { LlmPolicies } from '../../src/pipeline.ts';
import { createFuse, createPurse, createRetries, type Purse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { anthropic, chat, gemini, responses, type WireCase, wires } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;

const cases = wires.map((wire) => [wire.name, wire] as const);
const plenty = 1_000_000_000n;

describe.each(cases)('a limit on %s', (_name, wire) => {
  test.each([true, false])(
    'RL5: takes the most it may cost before, and settles with what it cost (stream: %p)',
    async (stream) => {
      const purse = createPurse(plenty);
      rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
      const heldBefore: bigint[] = [];
      const inner: typeof fetch = (...args) => {
        heldBefore.push(purse.heldNanoUsd);
        return fetch(...args);
      };
      await (await send(wire, { limiter: purse, price: unitPrice }, { by: inner, stream })).text();
      const [one] = purse.reserved;
      expect(one?.subject).toEqual({ provider: wire.provider, model: wire.model });
      expect(heldBefore).toEqual([one?.estimate.costNanoUsd]);
      expect(one?.estimate.inputTokens).toBeGreaterThanOrEqual(12);
      expect(one?.end).toEqual({ requests: 1, tokens: 46, inputTokens: 12, outputTokens: 34, costNanoUsd: 352n });
      expect([one?.ends, calls()[0]?.attributes.costNanoUsd]).toEqual([1, 352n]);
    },
  );

  test('RL6: a request without a limit of its own gets one', async () => {
    await (await send(wire, { limiter: createPurse(plenty), price: unitPrice })).text();
    expect(capIn(wire)).toBe(wire === anthropic ? 1_000 : 16_384);
  });

  test('RL6: and one from what the budget leaves', async () => {
    const purse = createPurse(2_000n);
    const policies = { limiter: purse, price: unitPrice, defaultOutputTokens: 500, clamp: true };
    await (await send(wire, policies)).text();
    const input = purse.reserved[0]?.estimate.inputTokens ?? 0;
    expect(capIn(wire)).toBe(Math.floor((2_000 - input) / 10));
    expect(purse.reserved[0]?.options).toMatchObject({ onDenied: 'clamp', outputTokenNanoUsd: 10 });
  });

  test('a denial is a 429 that no SDK tries again, with the body of the limiter', async () => {
    const purse = createPurse(1_000_000n);
    await purse.reserve({}, { costNanoUsd: 999_990n });
    const response = await send(wire, { limiter: purse, price: unitPrice });
    expect(response.status).toBe(429);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'retry-after': '42',
      'x-should-retry': 'false',
      'x-ratelimit-limit': '1000000',
      'x-ratelimit-remaining': '10',
      'x-ratelimit-reset': '1696809600',
    });
    expect(await response.json()).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Rate limit exceeded. Try again in 42 seconds.',
      retry_after: 42,
      limit: 1_000_000,
      remaining: 10,
      reset: 1_696_809_600,
    });
    expect(rig.provider.requests).toEqual([]);
    expect(calls()).toMatchObject([{ outcome: 'denied', code: 'SAGE_LLM_LIMITED' }]);
    expect(calls()[0]?.attributes).toEqual({});
  });
});

describe('before a call', () => {
  test('a cost that can never fit is a 422 without a wait', async () => {
    const policies = { limiter: createPurse(10n), price: unitPrice };
    const response = await send(chat, policies);
    expect([response.status, response.headers.get('retry-after')]).toEqual([422, null]);
    expect(await response.json()).toMatchObject({ error: 'rate_limit_never_allowed', limit: 10 });
    expect(calls()).toMatchObject([{ outcome: 'denied', code: 'SAGE_LLM_NEVER_ALLOWED' }]);
  });

  test('OM10, RL5: a price that nobody knows is refused, unless told otherwise', async () => {
    const purse = createPurse(plenty);
    const policies = { limiter: purse, price: unitPrice };
    const response = await send(chat, policies, { more: { model: 'unpriced-1' } });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      error: 'price_unknown',
      message: expect.stringContaining('unpriced-1'),
    });
    expect([rig.provider.requests.length, purse.reserved.length]).toEqual([0, 0]);
    await (await send(chat, { ...policies, unknownPrice: 'allow' }, { more: { model: 'unpriced-1' } })).text();
    expect(purse.reserved[0]?.end).not.toHaveProperty('costNanoUsd');
    expect(calls().map(({ outcome, code }) => code ?? outcome)).toEqual(['SAGE_LLM_PRICE_UNKNOWN', 'ok']);
  });

  test('a limiter may answer at once, without a promise', async () => {
    const { resetAtMs, retryAfterMs } = { resetAtMs: 0, retryAfterMs: 1_000 };
    const said: unknown[] = [];
    const end = async (used: unknown = 'cancelled'): Promise<void> => void said.push(used);
    const grants = { reserve: () => ({ allowed: true, settle: end, cancel: end }) as const };
    const denies = {
      reserve: () => ({ allowed: false, rule: 'r', limit: 1, remaining: 0, resetAtMs, retryAfterMs }) as const,
    };
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    await (await send(chat, { limiter: grants })).text();
    expect((await send(chat, { limiter: denies })).status).toBe(429);
    expect(said).toEqual([{ requests: 1, tokens: 46, inputTokens: 12, outputTokens: 34 }]);
  });

  test('without a price book no cost is in play', async () => {
    const purse = createPurse(plenty);
    await (await send(chat, { limiter: purse })).text();
    expect(purse.reserved[0]?.asked).not.toHaveProperty('costNanoUsd');
    expect(purse.reserved[0]?.end).not.toHaveProperty('costNanoUsd');
  });

  test('the larger of two limits counts, several answers count several times, and all of it can be cut', async () => {
    const purse = createPurse(10_000n);
    const more = { max_tokens: 100, max_completion_tokens: 200, n: 3 };
    await (await send(chat, { limiter: purse, price: unitPrice }, { more })).text();
    expect(purse.reserved[0]?.estimate.outputTokens).toBe(600);
    const denied = await send(chat, { limiter: createPurse(3_200n), price: unitPrice }, { more });
    expect(denied.status).toBe(422);
    await (await send(chat, { limiter: createPurse(3_200n), price: unitPrice, clamp: true }, { more })).text();
    const cut = rig.provider.requests.at(-1)?.body as Record<string, number> | undefined;
    expect(cut?.['max_tokens']).toBe(cut?.['max_completion_tokens']);
    expect(cut?.['max_tokens']).toBeLessThan(110);
  });

  test('the subject is who the context says, or whoever is given', async () => {
    const purse = createPurse(plenty);
    const principal = { kind: 'api_key', id: 'k1' } as const;
    await run({ userId: 'u1', tenant: 't1', principal }, async () => (await send(chat, { limiter: purse })).text());
    await (await send(chat, { limiter: purse, subject: ({ api }) => ({ endpoint: api }) })).text();
    expect(purse.reserved.map(({ subject }) => subject)).toEqual([
      { provider: 'openai', model: 'gpt-4.1', user: 'u1', tenant: 't1', principal },
      { endpoint: 'chat' },
    ]);
  });

  test('what is written to a cache is reserved at the price of writing', async () => {
    const price = {
      costNanoUsd: ({ usage }: { usage: { inputTokens: number; cacheWriteTokens?: number } }) =>
        BigInt(usage.inputTokens + 2 * (usage.cacheWriteTokens ?? 0)),
    };
    const purse = createPurse(plenty);
    const cached = { system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] };
    await (await send(anthropic, { limiter: purse, price })).text();
    await (await send(anthropic, { limiter: purse, price }, { more: cached })).text();
    const [plain, written] = purse.reserved.map(
      ({ estimate }) => Number(estimate.costNanoUsd) / (estimate.inputTokens ?? 0),
    );
    expect([plain, written]).toEqual([1, 3]);
  });
});

describe('after a call', () => {
  const policiesOf = (purse: Purse): LlmPolicies => ({ limiter: purse, price: unitPrice });

  test('a failure of the provider costs nothing; where it began to answer, the prompt', async () => {
    for (const behaviour of [{ status: 503 }, { status: 429 }, { errorEventAt: { contents: 0 } }]) {
      const purse = createPurse(plenty);
      rig.provider.next(behaviour);
      await (await send(chat, policiesOf(purse))).text();
      const inputTokens = 'status' in behaviour ? 0 : purse.reserved[0]?.estimate.inputTokens;
      expect(purse.reserved[0]?.end).toMatchObject({ requests: 1, inputTokens, outputTokens: 0 });
    }
  });

  test('an answer without usage costs an estimate, within what was reserved', async () => {
    for (const stream of [true, false]) {
      const purse = createPurse(plenty);
      rig.provider.next({ omitUsage: true, text: 'one two three' });
      await (await send(chat, policiesOf(purse), { stream, more: { max_tokens: 50 } })).text();
      const { estimate, end } = purse.reserved[0] ?? {};
      expect(end).toMatchObject({ inputTokens: estimate?.inputTokens });
      expect((end as { outputTokens: number }).outputTokens).toBeGreaterThanOrEqual(3);
      expect((end as { outputTokens: number }).outputTokens).toBeLessThanOrEqual(50);
    }
  });

  test('that was given up, an answer in one piece costs all that it may have cost, a stream its prompt', async () => {
    for (const stream of [true, false]) {
      const purse = createPurse(plenty);
      rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY });
      const controller = new AbortController();
      const calling = send(chat, policiesOf(purse), { stream, more: { max_tokens: 50 }, signal: controller.signal });
      await soon(() => rig.provider.counters.open > 0);
      controller.abort();
      await expect(calling).rejects.toThrow();
      const { inputTokens } = purse.reserved[0]?.estimate ?? {};
      expect(purse.reserved[0]?.end).toMatchObject({ inputTokens, outputTokens: stream ? 0 : 50 });
      await rig.provider.idle();
    }
  });

  test.each([true, false])('that was given up before it went out gives all back (stream: %p)', async (stream) => {
    const purse = createPurse(plenty);
    const signal = AbortSignal.abort();
    await expect(send(chat, policiesOf(purse), { stream, signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(purse.reserved).toMatchObject([{ end: 'cancelled', ends: 1 }]);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(rig.provider.requests).toEqual([]);
  });

  test('that was given up between two tries pays no more than the first', async () => {
    const purse = createPurse(plenty);
    const controller = new AbortController();
    rig.provider.next({ status: 503 });
    const retry: RetryPolicy = {
      async execute(call, { signal = AbortSignal.any([]) } = {}) {
        await call({ attempt: 1, signal }).catch(() => controller.abort());
        return call({ attempt: 2, signal });
      },
    };
    await expect(
      send(chat, { ...policiesOf(purse), retry }, { stream: false, signal: controller.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(purse.reserved).toMatchObject([{ end: { tokens: 0, costNanoUsd: 0n }, ends: 1 }]);
    expect(calls()).toMatchObject([{ outcome: 'cancelled', attributes: { attempts: 1 } }]);
  });

  test('that never went out gives all back', async () => {
    const purse = createPurse(plenty);
    const fuse = createFuse();
    fuse.isOpen = true;
    expect((await send(chat, { ...policiesOf(purse), breaker: fuse })).status).toBe(503);
    expect(purse.reserved).toMatchObject([{ end: 'cancelled', ends: 1 }]);
  });

  test('for want of a connection costs nothing', async () => {
    const purse = createPurse(plenty);
    await rig.provider.close();
    await expect(send(chat, policiesOf(purse))).rejects.toThrow();
    expect(purse.reserved[0]?.end).toMatchObject({ tokens: 0, costNanoUsd: 0n });
  });

  test('tries that came to nothing but may be billed are paid as well', async () => {
    const purse = createPurse(plenty);
    rig.provider.next({ cutAfter: { contents: 0 } }, { status: 503 }, { usage: { inputTokens: 12, outputTokens: 34 } });
    await (await send(chat, { ...policiesOf(purse), retry: createRetries(3) })).text();
    const input = purse.reserved[0]?.estimate.inputTokens ?? 0;
    expect(purse.reserved).toMatchObject([
      { end: { inputTokens: input, outputTokens: 0 }, ends: 1 },
      { end: { inputTokens: 12, outputTokens: 34 }, ends: 1 },
    ]);
    expect(calls()).toHaveLength(1);
  });

  test('what a lost try used up is not there for the next one', async () => {
    const purse = createPurse(620n);
    rig.provider.next({ cutAfter: { contents: 0 } });
    const response = await send(
      chat,
      { ...policiesOf(purse), retry: createRetries(3) },
      { more: { max_completion_tokens: 56 } },
    );
    expect([response.status, rig.provider.requests.length]).toEqual([429, 1]);
    expect(calls()).toMatchObject([{ outcome: 'denied', attributes: { attempts: 1 } }]);
    expect(purse.heldNanoUsd).toBe(0n);
  });

  test('a lease that is lost meanwhile fails nobody, and is told', async () => {
    const purse = createPurse(plenty, { loseLeases: true });
    await (await send(chat, policiesOf(purse))).text();
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
    expect(rig.recorder.emitted('error.critical')).toMatchObject([{ source: 'llm', reason: 'settle_failed' }]);
  });

  test('the error of a limiter is the caller’s, and nothing went out', async () => {
    const broken = new Error('no store');
    const limiter = { reserve: () => Promise.reject(broken) };
    await expect(send(chat, { limiter })).rejects.toBe(broken);
    expect([rig.provider.requests.length, calls()[0]?.outcome]).toEqual([0, 'error']);
  });
});

test('RL23: 200 streams at once, of any length and end, never spend more than the budget', async () => {
  await rig.replace({
    seed: 11,
    respond: ({ serial }) => ({ text: 'word '.repeat(1 + (serial % 37)) }),
    weather: [
      { chance: 0.2, behaviour: { cutAfter: { contents: 3 } } },
      { chance: 0.1, behaviour: { status: 503 } },
      { chance: 0.1, behaviour: { errorEventAt: { contents: 2 } } },
      { chance: 0.1, behaviour: { cutAfter: { contents: 0 } } },
    ],
  });
  const purse = createPurse(20_000n);
  const statuses = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const wire = wires[n % wires.length] ?? chat;
      try {
        const response = await send(wire, { limiter: purse, price: unitPrice }, { more: limitOf(wire, 40) });
        await response.text();
        return response.status;
      } catch {
        return 'cut';
      }
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 429, 503, 'cut']));
  expect(purse.heldNanoUsd).toBe(0n);
  expect(purse.spentNanoUsd).toBeLessThanOrEqual(20_000n);
  const { inputTokens, outputTokens } = rig.provider.counters;
  expect(BigInt(inputTokens) + 10n * BigInt(outputTokens)).toBeLessThanOrEqual(20_000n);
  expect(purse.reserved.every(({ ends }) => ends === 1)).toBe(true);
});

function limitOf(wire: WireCase, tokens: number): Record<string, unknown> {
  if (wire === gemini) return { generationConfig: { maxOutputTokens: tokens } };
  return wire === responses ? { max_output_tokens: tokens } : { max_tokens: tokens };
}

/** The limit that the provider got. */
function capIn(wire: WireCase): unknown {
  const body = rig.provider.requests.at(-1)?.body as Record<string, unknown> & {
    generationConfig?: Record<string, unknown>;
  };
  if (wire === gemini) return body.generationConfig?.['maxOutputTokens'];
  return body['max_completion_tokens'] ?? body['max_output_tokens'] ?? body['max_tokens'];
}
