import { describe, expect, test } from '@jest/globals';
import { openOperations } from '@sage-adk/core';
import type { LanguageModelV3Middleware, LanguageModelV4Middleware } from '@ai-sdk/provider';
import { type AiPolicies, createAiSdkMiddleware } from '../../src/ai-sdk/index.ts';
import { wrapFetch } from '../../src/index.ts';
import type { Behaviour } from '../../src/testing/index.ts';
import { createFuse, createPurse, createRetries, type Purse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { aiClientsOf, type Asked, type Between, type Heard } from '../testing/support/clients.ts';

const rig = useRig();
const { calls } = rig;
const plenty = 1_000_000_000n;
const names = aiClientsOf('http://nowhere.test').map(({ name }) => name);
const cases = names.flatMap((name) =>
  [false, true].flatMap((stream) => [false, true].map((both) => [name, stream, both] as const)),
);
const usage = { inputTokens: 12, outputTokens: 34 };

interface Setting {
  readonly stream?: boolean;
  /** Whether the provider's fetch is wrapped as well. */
  readonly both?: boolean;
  readonly maxRetries?: number;
  readonly asked?: Asked;
  readonly between?: Between;
}

const ask = (name: string, policies: AiPolicies, setting: Setting = {}): Promise<Heard> => {
  const { stream = false, both = false, maxRetries = 0, asked, between } = setting;
  const ai = createAiSdkMiddleware(policies, { maxRetries });
  const inner = both ? { fetch: wrapFetch(fetch, policies) } : {};
  const client = aiClientsOf(rig.provider.url, maxRetries, { ai, ...inner, ...between }).find(
    (one) => one.name === name,
  );
  if (client === undefined) throw new Error(`There is no ${name}.`);
  return stream ? client.stream(asked) : client.complete(asked);
};

const settledOnce = (purse: Purse) => soon(() => purse.reserved.every(({ ends }) => ends === 1));

describe.each(cases)('a call of %s (stream: %s, wrapped fetch as well: %s)', (name, stream, both) => {
  const setting = { stream, both };

  test('is one operation, priced, and settled with what it used', async () => {
    const purse = createPurse(plenty);
    const fuse = createFuse();
    rig.provider.next({ text: 'It is noon.', usage });
    const heard = await ask(
      name,
      { limiter: purse, price: unitPrice, breaker: fuse, stall: { totalMs: 10_000 } },
      setting,
    );
    await settledOnce(purse);
    expect(heard).toMatchObject({ text: 'It is noon.', usage });
    expect(calls()).toMatchObject([
      {
        start: { stream },
        outcome: 'ok',
        attributes: { ...usage, attempts: 1, costNanoUsd: 352n, finishReason: expect.any(String) },
      },
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
    expect(fuse.words.slice(1)).toEqual(['succeed']);
    expect(openOperations()).toBe(0);
  });

  test('that calls a tool hands the call on', async () => {
    rig.provider.next({ toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }], usage });
    const heard = await ask(name, { price: unitPrice }, setting);
    expect(heard.toolCalls).toEqual([{ name: 'clock', arguments: { city: 'Seoul' } }]);
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { costNanoUsd: 352n } }]);
  });

  test('that is refused is an error, gives back what it held, and reaches the caller as it is', async () => {
    const purse = createPurse(plenty);
    const fuse = createFuse();
    rig.provider.next({ status: 400 });
    await expect(ask(name, { limiter: purse, price: unitPrice, breaker: fuse }, setting)).rejects.toMatchObject({
      statusCode: 400,
    });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_REFUSED' }]);
    expect(purse.spentNanoUsd).toBe(0n);
    expect([purse.reserved[0]?.ends, fuse.words.slice(1)]).toEqual([1, ['release']]);
  });

  test('is tried again by a policy, within one call', async () => {
    const purse = createPurse(plenty);
    rig.provider.next({ status: 503 }, { hangUp: true }, { text: 'Noon.', usage });
    const policies = { limiter: purse, price: unitPrice, retry: createRetries(3) };
    await expect(ask(name, policies, { ...setting, maxRetries: 2 })).resolves.toMatchObject({ text: 'Noon.' });
    await settledOnce(purse);
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 3, costNanoUsd: 352n } }]);
    expect(purse.reserved.every(({ ends }) => ends === 1)).toBe(true);
    expect(rig.provider.requests).toHaveLength(3);
  });

  test('that a policy gave up is not tried again by the SDK', async () => {
    rig.provider.next({ status: 503 }, { status: 503 });
    await expect(ask(name, { retry: createRetries(2) }, { ...setting, maxRetries: 2 })).rejects.toMatchObject({
      statusCode: 503,
    });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE', attributes: { attempts: 2 } }]);
    expect(rig.provider.requests).toHaveLength(2);
  });

  test('is one call where the SDK tries again by itself: n attempts, one settlement', async () => {
    const purse = createPurse(plenty);
    const failures = [
      { status: 503, retryAfterMs: 1 },
      // Gemini does not say how long to wait, so that the SDK waits for seconds.
      ...(name === 'ai: Google' ? [] : [{ status: 429, retryAfterMs: 1 }]),
    ];
    rig.provider.next(...failures, { text: 'Noon.', usage });
    await expect(ask(name, { limiter: purse, price: unitPrice }, { ...setting, maxRetries: 2 })).resolves.toMatchObject(
      { text: 'Noon.' },
    );
    await settledOnce(purse);
    const attempts = failures.length + 1;
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts, costNanoUsd: 352n } }]);
    expect(rig.attempts().map(({ start, outcome }) => [start.attempt, outcome])).toEqual([
      ...failures.map((_, index) => [index + 1, 'error']),
      [attempts, 'ok'],
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
  });

  test('that is denied is never made, and not tried again', async () => {
    const purse = createPurse(10n);
    const denied = ask(name, { limiter: purse, price: unitPrice }, { ...setting, maxRetries: 2 });
    await expect(denied).rejects.toMatchObject({ code: 'SAGE_LLM_NEVER_ALLOWED' });
    expect(calls()).toMatchObject([{ outcome: 'denied', code: 'SAGE_LLM_NEVER_ALLOWED' }]);
    expect(rig.provider.requests).toHaveLength(0);
  });

  test('that is aborted ends as cancelled', async () => {
    const controller = new AbortController();
    const purse = createPurse(plenty);
    rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY });
    const asking = ask(
      name,
      { limiter: purse, price: unitPrice },
      { ...setting, asked: { signal: controller.signal } },
    );
    asking.catch(() => {});
    await soon(() => rig.provider.counters.open > 0);
    controller.abort();
    await expect(asking).rejects.toThrow();
    await settledOnce(purse);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(purse.reserved).toMatchObject([{ ends: 1 }]);
    expect(openOperations()).toBe(0);
  });

  test('gets a limit of output tokens where it has none, and the least of what is left', async () => {
    const purse = createPurse(5_000n);
    rig.provider.next({ text: 'Noon.', usage });
    await ask(name, { limiter: purse, price: unitPrice, clamp: true }, setting);
    const granted = purse.reserved[0]?.estimate.outputTokens;
    expect(granted).toBeLessThan(500);
    expect(JSON.stringify(rig.provider.requests[0]?.body)).toContain(`${granted}`);
  });
});

/** Ways for a stream to go wrong, with what is told of it. */
const breaks: readonly (readonly [string, Behaviour, string, boolean])[] = [
  ['is cut after content', { cutAfter: { contents: 2 } }, 'error', true],
  ['ends too early', { endAfter: { contents: 2 } }, 'error', true],
  ['has an error in its middle', { errorEventAt: { contents: 2 }, status: 503 }, 'error', true],
  ['has an error in place of content', { errorEventAt: { contents: 0 }, status: 503 }, 'error', false],
  ['stalls after content', { stallAfter: { contents: 2 }, keepAliveMs: 4 }, 'timeout', true],
  ['stalls before content', { stallAfter: { contents: 0 }, keepAliveMs: 4 }, 'timeout', false],
];

describe.each(names.flatMap((name) => [false, true].map((both) => [name, both] as const)))(
  'a stream of %s (wrapped fetch as well: %s)',
  (name, both) => {
    test.each(breaks)('that %s ends once', async (_what, behaviour, outcome, hasContent) => {
      const purse = createPurse(plenty);
      rig.provider.next({ text: 'one two three four five six', ...behaviour });
      const stall = outcome === 'timeout' ? { firstContentMs: 40, betweenContentsMs: 40 } : {};
      const policies = { limiter: purse, price: unitPrice, stall };
      await ask(name, policies, { stream: true, both }).catch(() => {});
      await settledOnce(purse);
      expect(calls()).toMatchObject([{ outcome, attributes: { attempts: 1 } }]);
      expect(purse.reserved).toMatchObject([{ ends: 1 }]);
      if (hasContent) expect(purse.spentNanoUsd).toBeGreaterThan(0n);
      expect(openOperations()).toBe(0);
    });
  },
);

test('the middleware is one of V4, and of V3 where that is asked for', () => {
  const v4: LanguageModelV4Middleware = createAiSdkMiddleware();
  const v3: LanguageModelV3Middleware = createAiSdkMiddleware({}, { specificationVersion: 'v3' });
  expect([v4.specificationVersion, v3.specificationVersion]).toEqual(['v4', 'v3']);
});
