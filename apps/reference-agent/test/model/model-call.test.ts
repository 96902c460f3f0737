import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BreakerPolicy, LimiterPolicy, LlmEvent, LlmProvider } from '@sage-adk/core';
import { createScriptedLlm, recordOperations } from '@sage-adk/core/testing';
import { createPriceTable, wrapFetch } from '@sage-adk/llm';
import { createRateLimiter, type RateLimiter } from '@sage-adk/ratelimit';
import { limiterPolicy } from '@sage-adk/ratelimit/policy';
import { createCircuitBreakers, createRetry } from '@sage-adk/recovery';
import { createModelCall } from '../../src/model/model-call.ts';
import { startTestAgent } from '../support/agent.ts';

const limit = 1_000;
const turns = [{ role: 'user', content: 'one two three' }] as const;
/** What the input is reserved as: a token for three bytes of its JSON. */
const inputTokens = Math.ceil(JSON.stringify(turns).length / 3);
const answer = { text: 'four five six', usage: { inputTokens: 30, outputTokens: 12 } };
const price = createPriceTable({ prices: { scripted: { small: { input: 1, output: 10 } } } });

let limiter: RateLimiter;
beforeEach(() => {
  limiter = createRateLimiter({
    rules: [{ name: 'tokens', unit: 'tokens', scope: 'user', limit, per: 'day', strategy: 'fixed-window' }],
  });
});
afterEach(() => limiter.close());

const ada = { user: 'ada' };

async function usedTokens(): Promise<number> {
  return limit - (await limiter.peek(ada, { tokens: 0 })).remaining;
}

function callOf(
  provider: LlmProvider,
  policy: LimiterPolicy = limiterPolicy(limiter),
  signal = new AbortController().signal,
  breaker?: BreakerPolicy,
) {
  const retry = createRetry({ maxAttempts: 3, baseMs: 1, idempotent: true, budget: false });
  const call = createModelCall({
    provider,
    model: 'small',
    maxOutputTokens: 100,
    retry,
    price,
    limiter: policy,
    breaker,
  });
  return call(turns, { subject: ada, signal, meter: { llmMs: 0 } });
}

async function read(events: AsyncIterable<LlmEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.type === 'text') text += event.text;
  return text;
}

describe('the account of a model call', () => {
  test('RL2: holds what the call may use while it runs, and keeps what its last event tells', async () => {
    const seen: number[] = [];
    for await (const event of callOf(createScriptedLlm({ rules: [{ answer }] }))) {
      if (event.type === 'text') seen.push(await usedTokens());
    }
    expect(seen).toEqual([inputTokens + 100, inputTokens + 100, inputTokens + 100]);
    expect(await usedTokens()).toBe(42);
  });

  test('more than was reserved is paid all the same', async () => {
    await read(
      callOf(createScriptedLlm({ rules: [{ answer: { text: 'x', usage: { outputTokens: 970, inputTokens: 40 } } }] })),
    );
    expect((await limiter.check(ada, { tokens: 1 })).allowed).toBe(false);
  });

  test('is opened once, however often the call is tried', async () => {
    const model = createScriptedLlm({ rules: [{ answer }] });
    model.failNext(Object.assign(new Error('overloaded'), { status: 503 }), 2);
    let reserved = 0;
    const policy = limiterPolicy(limiter);
    const counting: LimiterPolicy = {
      reserve: (...asked) => {
        reserved++;
        return policy.reserve(...asked);
      },
    };
    await read(callOf(model, counting));
    expect([model.calls, reserved, await usedTokens()]).toEqual([3, 1, 42]);
  });

  test('a call that failed before it said anything costs nothing', async () => {
    const model = createScriptedLlm();
    model.failNext(Object.assign(new Error('bad key'), { status: 401 }));
    await expect(read(callOf(model))).rejects.toThrow('bad key');
    expect(await usedTokens()).toBe(0);
  });

  test('one that nobody reads to its end costs its input and what came of it', async () => {
    for await (const event of callOf(createScriptedLlm({ rules: [{ answer }] }))) {
      if (event.type === 'text') break;
    }
    expect(await usedTokens()).toBe(inputTokens + 2);
  });

  test('one that is given up before its first word costs its input', async () => {
    const model = createScriptedLlm();
    model.stallAfter(0);
    const away = new AbortController();
    const reading = read(callOf(model, limiterPolicy(limiter), away.signal));
    while (model.calls === 0) await new Promise((resolve) => setImmediate(resolve));
    away.abort(new Error('gone'));
    await expect(reading).rejects.toThrow('gone');
    expect(await usedTokens()).toBe(inputTokens);
  });

  test('a grant of fewer tokens is the longest answer that the model is asked for', async () => {
    await limiter.check(ada, { tokens: limit - inputTokens - 2 });
    expect(await read(callOf(createScriptedLlm({ rules: [{ answer: 'four five six' }] })))).toBe('four five');
  });

  test('what the storage says at the end changes nothing for the answer', async () => {
    using recorder = recordOperations();
    const failing: LimiterPolicy = {
      reserve: async () => ({
        allowed: true,
        settle: () => Promise.reject(new Error('away')),
        cancel: () => Promise.reject(new Error('away')),
      }),
    };
    expect(await read(callOf(createScriptedLlm({ rules: [{ answer }] }), failing))).toBe('four five six');
    expect(recorder.emitted('error.critical')).toEqual([
      { source: 'limits', reason: 'settle_failed', message: 'Error: away' },
    ]);
  });

  test('a refusal of a policy that tells no more than the contract asks for is a 429', async () => {
    const denial = { allowed: false, rule: 'x', limit: 1, remaining: 0, resetAtMs: 0, retryAfterMs: 1_500 } as const;
    const refused = read(callOf(createScriptedLlm(), { reserve: async () => denial }));
    await expect(refused).rejects.toMatchObject({ code: 'SAGE_AGENT_LIMITED', status: 429, retryAfterMs: 1_500 });
  });
});

describe('the breaker of a model call', () => {
  const down = () => Object.assign(new Error('down'), { status: 503 });
  const policy = () => limiterPolicy(limiter);
  const told = async (model: LlmProvider, breakers: BreakerPolicy) =>
    read(callOf(model, policy(), undefined, breakers)).catch((error: unknown) => error);

  test('is asked by each try, so that what opens it ends the tries, and the call with them', async () => {
    await using breakers = createCircuitBreakers({ minCalls: 2, failureRatio: 0.5 });
    const model = createScriptedLlm({ rules: [{ answer }] });
    model.failNext(down(), 3);
    using recorder = recordOperations();
    // What failed is told, and not that another try was refused: else an outage would look like none.
    expect(await told(model, breakers)).toMatchObject({ message: 'down' });
    expect(recorder.named('llm.call')).toMatchObject([{ outcome: 'error', attributes: { attempts: 2 } }]);
    expect(recorder.named('retry.attempt').map(({ outcome }) => outcome)).toEqual(['error', 'error', 'denied']);
    expect(await told(model, breakers)).toMatchObject({ code: 'SAGE_LLM_RESTING' });
    expect(recorder.named('llm.call')).toMatchObject([{}, { outcome: 'denied' }]);
    expect([model.calls, recorder.named('retry.attempt').length]).toEqual([2, 3]);
    expect(await usedTokens()).toBe(0);
  });

  test('hears of each try once, however it ends', async () => {
    await using breakers = createCircuitBreakers({ minCalls: 100 });
    const counts = () => {
      const { successes, failures } = breakers.of('llm.scripted').snapshot();
      return [successes, failures];
    };
    const model = createScriptedLlm({ rules: [{ answer }] });
    model.failNext(down(), 2);
    expect(await told(model, breakers)).toBe('four five six');
    expect(counts()).toEqual([1, 2]);
    model.failNext(down(), 3);
    expect(await told(model, breakers)).toMatchObject({ message: 'down' });
    expect(counts()).toEqual([1, 5]);
    // Left by its reader.
    for await (const _ of callOf(model, policy(), undefined, breakers)) break;
    expect(counts()).toEqual([1, 5]);
  });

  test('a try that waits for the next one holds no permit', async () => {
    const held: number[] = [];
    let permits = 0;
    const counting: BreakerPolicy = {
      tryAcquire() {
        held.push(permits++);
        let open = true;
        const end = () => {
          if (open) permits--;
          open = false;
        };
        return { succeed: end, fail: end, release: end };
      },
    };
    const model = createScriptedLlm({ rules: [{ answer }] });
    model.failNext(down(), 2);
    expect(await told(model, counting)).toBe('four five six');
    expect([held, permits]).toEqual([[0, 0, 0], 0]);
  });
});

describe('the price of a model call', () => {
  test('OM10: is told with the call, in billionths of a dollar', async () => {
    using recorder = recordOperations();
    await read(callOf(createScriptedLlm({ rules: [{ answer }] })));
    expect(recorder.named('llm.call').map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ costNanoUsd: 150_000n, inputTokens: 30 }),
    ]);
  });

  test('RL5: an agent with a limit of money and without a price does not start, unless it is told to', async () => {
    const limits = 'rate_limit:\n  per_user:\n    max_cost_per_hour: 1\n';
    await expect(startTestAgent(limits)).rejects.toMatchObject({
      code: 'SAGE_AGENT_PRICE_UNKNOWN',
      message: expect.stringContaining('Set llm.price'),
    });
    await (await startTestAgent(`${limits}llm:\n  unknown_price: allow\n`)).close();
    await (await startTestAgent(limits, { price: { costNanoUsd: () => 1n } })).close();
  });
});

test('a provider whose fetch is wrapped with the same limiter counts a call once', async () => {
  using recorder = recordOperations();
  const usage = { prompt_tokens: 30, completion_tokens: 12, total_tokens: 42 };
  const body = {
    model: 'small',
    choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    usage,
  };
  const limited = wrapFetch(async () => Response.json(body), { limiter: limiterPolicy(limiter), price });
  const provider: LlmProvider = {
    name: 'scripted',
    complete: () => Promise.reject(new Error('not asked for')),
    async *stream({ model, messages }): AsyncGenerator<LlmEvent> {
      const response = await limited('https://models.test/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify({ model, messages }),
      });
      await response.json();
      yield { type: 'text', text: 'hi' };
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 30, outputTokens: 12 }, model };
    },
  };
  expect(await read(callOf(provider))).toBe('hi');
  expect(await usedTokens()).toBe(42);
  expect(recorder.named('llm.call')).toHaveLength(1);
});
