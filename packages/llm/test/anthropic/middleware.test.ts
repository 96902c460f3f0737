import type { ClientOptions } from '@anthropic-ai/sdk';
import { describe, expect, test } from '@jest/globals';
import { openOperations } from '@sage-adk/core';
import { createAnthropicMiddleware } from '../../src/anthropic/index.ts';
import { type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { createFuse, createPurse, createRetries, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { anthropicClient, anthropicMessages, type Asked, type Between } from '../testing/support/clients.ts';

const rig = useRig();
const { calls } = rig;
const plenty = 1_000_000_000n;
const usage = { inputTokens: 12, outputTokens: 34 };

interface Setting extends Asked {
  readonly stream: boolean;
  readonly maxRetries?: number;
  readonly between?: Between;
}

const ask = (policies: LlmPolicies, { stream, maxRetries = 0, between, ...asked }: Setting) => {
  const client = anthropicMessages(
    anthropicClient(rig.provider.url, maxRetries, { anthropic: createAnthropicMiddleware(policies), ...between }),
  );
  return stream ? client.stream(asked) : client.complete(asked);
};

test('the middleware fits the option of the SDK', () => {
  const middleware: NonNullable<ClientOptions['middleware']> = [createAnthropicMiddleware()];
  expect(middleware).toHaveLength(1);
});

describe.each([false, true])("a call of Anthropic's SDK (stream: %s)", (stream) => {
  test('is one operation, priced, and settled with what it used', async () => {
    const purse = createPurse(plenty);
    const fuse = createFuse();
    rig.provider.next({ text: 'It is noon.', usage });
    const policies = { limiter: purse, price: unitPrice, breaker: fuse, stall: { totalMs: 10_000 } };
    await expect(ask(policies, { stream })).resolves.toMatchObject({ text: 'It is noon.', usage });
    await soon(() => purse.reserved.every(({ ends }) => ends === 1));
    expect(calls()).toMatchObject([
      {
        start: { provider: 'anthropic', api: 'messages', stream },
        outcome: 'ok',
        attributes: { ...usage, attempts: 1, costNanoUsd: 352n },
      },
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
    expect(fuse.words.slice(1)).toEqual(['succeed']);
    expect(openOperations()).toBe(0);
  });

  test('that calls a tool hands the call on', async () => {
    rig.provider.next({ toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }], usage });
    const { toolCalls } = await ask({ price: unitPrice }, { stream });
    expect(toolCalls).toEqual([{ name: 'clock', arguments: { city: 'Seoul' } }]);
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { costNanoUsd: 352n } }]);
  });

  test("is one with the SDK's own tries and a wrapped fetch inside: n attempts, one settlement", async () => {
    const purse = createPurse(plenty);
    const policies = { limiter: purse, price: unitPrice };
    rig.provider.next({ status: 529, retryAfterMs: 1 }, { status: 429, retryAfterMs: 1 }, { text: 'Noon.', usage });
    const between = { fetch: wrapFetch(fetch, policies) };
    await expect(ask(policies, { stream, maxRetries: 2, between })).resolves.toMatchObject({ text: 'Noon.' });
    await soon(() => purse.reserved.every(({ ends }) => ends === 1));
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 3, costNanoUsd: 352n } }]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
  });

  test('is tried again by a policy, lost connections too', async () => {
    rig.provider.next({ status: 503 }, { hangUp: true }, { text: 'Noon.', usage });
    await expect(ask({ retry: createRetries(3) }, { stream })).resolves.toMatchObject({ text: 'Noon.' });
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 3 } }]);
  });

  test('that is denied is the 429 that it is, and not tried again', async () => {
    const denied = ask({ limiter: createPurse(10n), price: unitPrice }, { stream, maxRetries: 2 });
    await expect(denied).rejects.toMatchObject({ status: 422, error: { error: 'rate_limit_never_allowed' } });
    expect(calls()).toMatchObject([{ outcome: 'denied' }]);
    expect(rig.provider.requests).toHaveLength(0);
  });

  test('that is aborted ends as cancelled', async () => {
    const controller = new AbortController();
    rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY });
    const asking = ask({}, { stream, signal: controller.signal });
    asking.catch(() => {});
    await soon(() => rig.provider.counters.open > 0);
    controller.abort();
    await expect(asking).rejects.toThrow();
    await soon(() => calls().length > 0);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(openOperations()).toBe(0);
  });

  test('that fails is an error', async () => {
    rig.provider.next({ status: 401 });
    await expect(ask({}, { stream })).rejects.toMatchObject({ status: 401 });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_REFUSED' }]);
  });
});

test.each([
  ['is cut', { cutAfter: { contents: 2 } }],
  ['has an error in its middle', { errorEventAt: { contents: 2 }, status: 529 }],
] as const)('a stream that %s is an error, and settled once', async (_what, behaviour) => {
  const purse = createPurse(plenty);
  rig.provider.next({ text: 'one two three four', ...behaviour });
  await expect(ask({ limiter: purse, price: unitPrice }, { stream: true })).rejects.toThrow();
  await soon(() => purse.reserved.every(({ ends }) => ends === 1));
  expect(calls()).toMatchObject([{ outcome: 'error' }]);
  expect(purse.reserved).toMatchObject([{ ends: 1 }]);
});
