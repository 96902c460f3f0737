import { describe, expect, test } from '@jest/globals';
import { createFuse } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { anthropic, chat } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;

describe('a breaker', () => {
  test('that rests the provider answers in its place, and no SDK tries again', async () => {
    const breaker = createFuse();
    breaker.isOpen = true;
    const response = await send(anthropic, { breaker });
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([503, 'false']);
    expect(await response.json()).toEqual({
      error: 'provider_resting',
      message: 'The provider "anthropic" failed too often and is given a rest. Try again later.',
    });
    expect(rig.provider.requests).toEqual([]);
    expect(calls()).toMatchObject([{ outcome: 'denied', code: 'SAGE_LLM_RESTING' }]);
  });

  test('hears of success when the answer was read, not before', async () => {
    const breaker = createFuse();
    const response = await send(chat, { breaker });
    expect(breaker.words).toEqual(['llm.openai']);
    await response.text();
    expect(breaker.words).toEqual(['llm.openai', 'succeed']);
  });

  test.each([
    ['an overload', { status: 529 }, 529],
    ['an overload within the stream', { errorEventAt: { contents: 0 }, status: 529 }, 529],
    ['a timeout of the provider', { status: 408 }, 408],
  ])('hears of %s as a failure', async (_what, behaviour, status) => {
    const breaker = createFuse();
    rig.provider.next(behaviour);
    await (await send(chat, { breaker })).text();
    expect(breaker.words).toEqual(['llm.openai', expect.objectContaining({ name: 'ProviderError', status })]);
  });

  test.each([
    ['a stream that breaks', { cutAfter: { contents: 2 } }],
    ['an error in the middle', { errorEventAt: { contents: 2 } }],
    ['a stream that ends too early', { endAfter: { contents: 2 } }],
  ])('hears of %s as a failure, though the status was fine', async (_what, behaviour) => {
    const breaker = createFuse();
    rig.provider.next(behaviour);
    await (await send(chat, { breaker })).text().catch(() => {});
    expect(breaker.words).toEqual(['llm.openai', expect.objectContaining({ message: expect.any(String) })]);
  });

  test('hears nothing of a limit that was reached in the middle of a stream', async () => {
    const breaker = createFuse();
    rig.provider.next({ errorEventAt: { contents: 2 }, error: 'rate_limit' });
    await (await send(chat, { breaker })).text().catch(() => {});
    expect(breaker.words).toEqual(['llm.openai', 'release']);
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_RATE_LIMITED' }]);
  });

  test('hears of a lost connection as a failure', async () => {
    const breaker = createFuse();
    rig.provider.next({ hangUp: true });
    await expect(send(chat, { breaker })).rejects.toThrow();
    expect(breaker.words).toEqual(['llm.openai', expect.objectContaining({ message: expect.any(String) })]);
  });

  test.each([
    ['a request that is refused', { status: 400 }],
    ['a limit of the provider', { status: 429 }],
    ['an error of the request within the stream', { errorEventAt: { contents: 2 }, error: 'invalid_request' as const }],
  ])('learns nothing from %s', async (_what, behaviour) => {
    const breaker = createFuse();
    rig.provider.next(behaviour);
    await (await send(chat, { breaker })).text();
    expect(breaker.words).toEqual(['llm.openai', 'release']);
  });

  test('learns nothing from a caller who leaves, before and after the first content', async () => {
    for (const behaviour of [{ latencyMs: Number.POSITIVE_INFINITY }, { stallAfter: { contents: 1 } }]) {
      const breaker = createFuse();
      rig.provider.next(behaviour);
      const controller = new AbortController();
      const calling = send(chat, { breaker }, { signal: controller.signal }).then((response) => response.text());
      await soon(() => rig.provider.counters.open > 0);
      await new Promise((resolve) => setTimeout(resolve, 10));
      controller.abort();
      await expect(calling).rejects.toThrow();
      expect(breaker.words).toEqual(['llm.openai', 'release']);
      await rig.provider.idle();
    }
  });
});
