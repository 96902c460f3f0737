import { describe, expect, test } from '@jest/globals';
import { current, type LlmCallMark, run } from '@sage-adk/core';
import OpenAI from 'openai';
import { wrapFetch } from '../src/wrap-fetch.ts';
import { createFuse, createPurse, createRetries, unitPrice } from './support/policies.ts';
import { useRig } from './support/rig.ts';
import { chat, wires } from './support/wires.ts';

const rig = useRig();
const { calls } = rig;
const plenty = 1_000_000_000n;

describe('one call within several layers', () => {
  test.each(wires.map((wire) => [wire.name, wire] as const))('is one: %s', async (_name, wire) => {
    const purse = createPurse(plenty);
    const breaker = createFuse();
    const policies = { limiter: purse, price: unitPrice, breaker, retry: createRetries(2), stall: { totalMs: 5_000 } };
    rig.provider.next({ status: 503 }, { usage: { inputTokens: 12, outputTokens: 34 } });
    const { path, init } = wire.ask();
    const thrice = wrapFetch(wrapFetch(wrapFetch(fetch, policies), policies), policies);
    await (await thrice(`${rig.provider.url}${path}`, init)).text();
    expect(calls()).toMatchObject([
      { outcome: 'ok', attributes: { attempts: 2, inputTokens: 12, outputTokens: 34, costNanoUsd: 352n } },
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
    expect(breaker.words).toEqual([`llm.${wire.provider}`, 'succeed']);
    expect(rig.provider.requests).toHaveLength(2);
  });

  test('has each step once, wherever it is plugged in', async () => {
    const purse = createPurse(plenty);
    const retry = createRetries(3);
    rig.provider.next({ status: 503 }, { status: 503 });
    const { path, init } = chat.ask();
    const inner = wrapFetch(fetch, { retry, limiter: purse });
    await (await wrapFetch(inner, { price: unitPrice })(`${rig.provider.url}${path}`, init)).text();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 3, costNanoUsd: expect.anything() } }]);
    expect(purse.reserved).toMatchObject([{ ends: 1 }]);
    expect(retry.seen).toHaveLength(2);
  });

  test('is reserved anew for each try of a layer inside that follows one which may be billed', async () => {
    const purse = createPurse(plenty);
    rig.provider.next(
      { endAfter: { contents: 0 } },
      { endAfter: { contents: 0 } },
      { usage: { inputTokens: 12, outputTokens: 34 } },
    );
    const { path, init } = chat.ask({
      messages: [{ role: 'user', content: 'word '.repeat(400) }],
      max_completion_tokens: 50,
    });
    const inner = wrapFetch(wrapFetch(fetch, { retry: createRetries(3) }), {});
    const outer = wrapFetch(inner, { limiter: purse, price: unitPrice });
    await (await outer(`${rig.provider.url}${path}`, init)).text();
    expect([rig.provider.requests.length, purse.reserved.length, calls().length]).toEqual([3, 3, 1]);
    for (const { ends, end, estimate } of purse.reserved) {
      expect(ends).toBe(1);
      expect(Number((end as { costNanoUsd: bigint }).costNanoUsd)).toBeLessThanOrEqual(Number(estimate.costNanoUsd));
    }
    expect(rig.provider.requests.map(({ body }) => (body as Record<string, unknown>)['max_completion_tokens'])).toEqual(
      [50, 50, 50],
    );
  });

  test('that an inner layer denies is denied, and not tried again', async () => {
    const retry = createRetries(3);
    const { path, init } = chat.ask();
    const inner = wrapFetch(fetch, { limiter: createPurse(10n), price: unitPrice });
    const response = await wrapFetch(inner, {})(`${rig.provider.url}${path}`, init);
    expect([response.status, await response.json()]).toMatchObject([422, { error: 'rate_limit_never_allowed' }]);
    expect(calls()).toMatchObject([{ outcome: 'denied', code: 'SAGE_LLM_NEVER_ALLOWED' }]);
    expect(retry.seen).toEqual([]);
  });

  test('and an SDK that tries again inside of them is one call: n attempts, one settlement', async () => {
    const purse = createPurse(plenty);
    rig.provider.next(
      { status: 503, retryAfterMs: 1 },
      { hangUp: true },
      { usage: { inputTokens: 12, outputTokens: 34 } },
    );
    const client = new OpenAI({
      baseURL: `${rig.provider.url}/v1`,
      apiKey: 'any',
      fetch: wrapFetch(fetch),
      logLevel: 'off',
    });
    // What stands around is a layer like any other: here, a fetch that is made by the SDK.
    const bySdk = wrapFetch(
      async (_input, init) => {
        const body = JSON.parse(init?.body as string) as OpenAI.ChatCompletionCreateParamsNonStreaming;
        return Response.json(await client.chat.completions.create(body));
      },
      { limiter: purse, price: unitPrice },
    );
    const { path, init } = chat.askWhole();
    await (await bySdk(`https://api.test${path}`, init)).text();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 3, costNanoUsd: 352n } }]);
    expect(rig.attempts().map(({ start, outcome }) => [start.attempt, outcome])).toEqual([
      [1, 'error'],
      [2, 'error'],
      [3, 'ok'],
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { inputTokens: 12, outputTokens: 34 } }]);
  });
});

describe('the mark of a call', () => {
  test('is there for what is made inside of it, and gone afterwards', async () => {
    const seen: (LlmCallMark | undefined)[] = [];
    const inner: typeof fetch = (...args) => {
      seen.push(current()?.llmCall);
      return fetch(...args);
    };
    const { path, init } = chat.ask();
    const response = await wrapFetch(inner, { limiter: createPurse(plenty) })(`${rig.provider.url}${path}`, init);
    expect([seen[0]?.open, [...(seen[0]?.steps ?? [])].toSorted()]).toEqual([true, ['observe', 'reserve']]);
    await response.text();
    expect([seen[0]?.open, current()?.llmCall]).toEqual([false, undefined]);
  });

  test('of a layer of another kind is heeded: it reports, and learns what we learn', async () => {
    const learned: unknown[] = [];
    const mark: LlmCallMark = {
      open: true,
      steps: new Set(['reserve']),
      attempts: 0,
      learn: (facts) => void learned.push(facts),
    };
    const purse = createPurse(0n);
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    const { path, init } = chat.ask();
    await run({ llmCall: mark }, async () =>
      (await wrapFetch(fetch, { limiter: purse, price: unitPrice })(`${rig.provider.url}${path}`, init)).text(),
    );
    expect(calls()).toEqual([]);
    expect(purse.reserved).toEqual([]);
    expect([mark.attempts, learned]).toMatchObject([1, [{ inputTokens: 12, outputTokens: 34, finishReason: 'stop' }]]);
  });

  test('is told of tries that came to nothing but may be billed, once through all layers', async () => {
    const mark: LlmCallMark = {
      open: true,
      steps: new Set(['observe', 'reserve', 'retry']),
      attempts: 0,
      lost: 0,
      learn() {},
    };
    const { path, init } = chat.ask();
    const twice = wrapFetch(wrapFetch(fetch, { stall: { totalMs: 5_000 } }), {});
    rig.provider.next({ errorEventAt: { contents: 0 } }, { stallAfter: { contents: 0 } });
    await run({ llmCall: mark }, () => twice(`${rig.provider.url}${path}`, init));
    expect(mark.lost).toBe(1);
    const away = new AbortController();
    const asked = run({ llmCall: mark }, () => twice(`${rig.provider.url}${path}`, { ...init, signal: away.signal }));
    while (rig.provider.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    away.abort();
    await expect(asked).rejects.toThrow();
    expect(mark.lost).toBe(2);
  });

  test('of a call that ended is none', async () => {
    const mark: LlmCallMark = { open: false, steps: new Set(['observe', 'reserve']), attempts: 1, learn() {} };
    const { path, init } = chat.ask();
    await run({ llmCall: mark }, async () => (await wrapFetch(fetch)(`${rig.provider.url}${path}`, init)).text());
    expect(calls()).toHaveLength(1);
  });
});
