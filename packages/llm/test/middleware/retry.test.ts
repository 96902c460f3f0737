import { describe, expect, test } from '@jest/globals';
import Anthropic from '@anthropic-ai/sdk';
import { openOperations, type RetryPolicy } from '@sage-adk/core';
import OpenAI from 'openai';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, createRetries, type Purse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { anthropic, chat, gemini, wires } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;
const cases = wires.map((wire) => [wire.name, wire] as const);

describe.each(cases)('another try of %s', (_name, wire) => {
  test('follows a status, an error within the stream, a cut, an early end, an unreadable event and a hang-up', async () => {
    const retry = createRetries(9);
    rig.provider.next(
      { status: 503 },
      { errorEventAt: { contents: 0 }, error: 'overloaded' },
      { cutAfter: { contents: 0 } },
      { endAfter: { contents: 0 } },
      { malformedAt: 0 },
      { hangUp: true },
      { text: 'done', usage: { inputTokens: 5, outputTokens: 6 } },
    );
    const response = await send(wire, { retry });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('done');
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { attempts: 7, inputTokens: 5, outputTokens: 6 } }]);
    expect(retry.seen).toHaveLength(6);
    expect(retry.seen.slice(0, 2)).toMatchObject([
      { name: 'ProviderError', status: 503 },
      { name: 'ProviderError', status: expect.any(Number) },
    ]);
    // What failed lets its connection go.
    await rig.provider.idle();
  });
});

describe('tries that all fail', () => {
  test('give the provider’s last answer, and tell the SDK that it was tried', async () => {
    const retry = createRetries(3);
    rig.provider.always({ status: 429, error: 'quota' });
    const response = await send(chat, { retry }, { stream: false });
    expect([response.status, response.headers.get('x-should-retry'), response.url]).toEqual([
      429,
      'false',
      `${rig.provider.url}/v1/chat/completions`,
    ]);
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_quota' } });
    expect(retry.seen).toMatchObject(
      Array.from({ length: 3 }, () => ({
        status: 429,
        code: 'insufficient_quota',
        message: expect.stringContaining('quota'),
      })),
    );
    expect(calls()).toMatchObject([{ outcome: 'error', attributes: { attempts: 3 } }]);
  });

  test('give it too where the policy wraps the error in its own', async () => {
    const retry: RetryPolicy = {
      execute: async (call, { signal = AbortSignal.any([]) } = {}) => {
        try {
          return await call({ attempt: 1, signal });
        } catch (cause) {
          throw new Error('The budget is used up.', { cause });
        }
      },
    };
    rig.provider.next({ status: 503 });
    expect((await send(chat, { retry })).status).toBe(503);
  });

  test('for want of a connection give the error of fetch', async () => {
    rig.provider.always({ hangUp: true });
    await expect(send(chat, { retry: createRetries(2) })).rejects.toThrow('fetch failed');
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNREACHABLE', attributes: { attempts: 2 } }]);
  });
});

describe('no other try is made', () => {
  test('once content came', async () => {
    const retry = createRetries(3);
    rig.provider.next({ cutAfter: { contents: 1 } });
    await expect((await send(gemini, { retry })).text()).rejects.toThrow();
    expect([retry.seen, rig.provider.requests.length]).toEqual([[], 1]);
  });

  test('of a body that can be sent but once', async () => {
    rig.provider.next({ status: 503 });
    const body = new Blob([chat.ask().init.body]).stream();
    const by: typeof fetch = (input, init) => fetch(input, { ...init, body, duplex: 'half' } as RequestInit);
    const retry = createRetries(3);
    const response = await wrapFetch(by, { retry })(`${rig.provider.url}/v1/chat/completions`, {
      method: 'POST',
      body: new Blob(['{}']),
    });
    expect([response.status, retry.seen]).toEqual([503, []]);
  });

  test('after the caller left', async () => {
    rig.provider.always({ latencyMs: Number.POSITIVE_INFINITY });
    const controller = new AbortController();
    const calling = send(chat, { retry: createRetries(3) }, { signal: controller.signal });
    await soon(() => rig.provider.counters.open > 0);
    controller.abort();
    await expect(calling).rejects.toMatchObject({ name: 'AbortError' });
    expect(rig.provider.requests).toHaveLength(1);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
  });
});

describe('the signal of a try', () => {
  test('ends that try alone, and the caller’s ends the answer as well', async () => {
    rig.provider.next({ latencyMs: Number.POSITIVE_INFINITY }, { stallAfter: { contents: 1 } });
    const retry: RetryPolicy = {
      async execute(call, { signal = AbortSignal.any([]) } = {}) {
        const first = new AbortController();
        const trying = call({ attempt: 1, signal: first.signal });
        await soon(() => rig.provider.counters.open > 0);
        first.abort(new DOMException('late', 'TimeoutError'));
        await trying.catch(() => {});
        // Another signal for the next try, which nobody aborts when the caller leaves.
        return call({ attempt: 2, signal: AbortSignal.any([signal, new AbortController().signal]) });
      },
    };
    const controller = new AbortController();
    const response = await send(chat, { retry }, { signal: controller.signal });
    expect(calls()).toEqual([]);
    controller.abort();
    await expect(response.text()).rejects.toMatchObject({ name: 'AbortError' });
    await rig.provider.idle();
    expect(calls()).toMatchObject([{ outcome: 'cancelled', attributes: { attempts: 2 } }]);
  });
});

describe('an SDK that tries again by itself', () => {
  const policiesOf = (purse: Purse) => ({ limiter: purse, price: unitPrice });
  const prompt = [{ role: 'user' as const, content: 'Hello' }];

  test.each([
    [
      'openai',
      (url: string, by: typeof fetch) => {
        const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', fetch: by, logLevel: 'off' });
        return (stream: boolean) =>
          client.chat.completions.create({ model: 'gpt-4.1', messages: prompt, stream }).then(drained);
      },
    ],
    [
      'anthropic',
      (url: string, by: typeof fetch) => {
        const client = new Anthropic({ baseURL: url, apiKey: 'any', fetch: by, logLevel: 'off' });
        return (stream: boolean) =>
          client.messages.create({ model: 'claude-sonnet-5', max_tokens: 100, messages: prompt, stream }).then(drained);
      },
    ],
  ] as const)('%s makes one call of it: n attempts, one settlement', async (name, createClient) => {
    for (const stream of [true, false]) {
      rig.recorder.clear();
      const purse = createPurse(1_000_000_000n);
      rig.provider.next(
        { status: 503, retryAfterMs: 1 },
        { status: 429 },
        { usage: { inputTokens: 12, outputTokens: 34 } },
      );
      const call = createClient(rig.provider.url, wrapFetch(fetch, policiesOf(purse)));
      await call(stream);
      expect(calls()).toMatchObject([
        { outcome: 'ok', attributes: { attempts: 3, inputTokens: 12, outputTokens: 34, costNanoUsd: 352n } },
      ]);
      expect(rig.attempts()).toMatchObject([
        { start: { dependency: `llm.${name}`, attempt: 1 }, outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE' },
        { start: { attempt: 2 }, outcome: 'error', code: 'SAGE_LLM_RATE_LIMITED' },
        { start: { attempt: 3 }, outcome: 'ok' },
      ]);
      expect(purse.reserved).toMatchObject([{ end: { inputTokens: 12, outputTokens: 34 }, ends: 1 }]);
    }
  });

  test('and gives up in the end makes one failed call', async () => {
    const before = openOperations();
    const purse = createPurse(1_000_000_000n);
    rig.provider.always({ status: 503, retryAfterMs: 1 });
    const by = wrapFetch(fetch, policiesOf(purse));
    const client = new OpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: by, logLevel: 'off' });
    const calling = client.chat.completions.create({ model: 'gpt-4.1', messages: prompt });
    await expect(calling).rejects.toMatchObject({ status: 503 });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE', attributes: { attempts: 3 } }]);
    expect(purse.reserved).toMatchObject([{ end: { tokens: 0 }, ends: 1 }]);
    expect(openOperations()).toBe(before);
  });

  test('asks a limit once, and is not tried again where that says no', async () => {
    const by = wrapFetch(fetch, policiesOf(createPurse(10n)));
    const client = new OpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: by, logLevel: 'off' });
    const calling = client.chat.completions.create({ model: 'gpt-4.1', messages: prompt });
    await expect(calling).rejects.toMatchObject({ status: 422, error: 'rate_limit_never_allowed' });
    expect(calls()).toMatchObject([{ outcome: 'denied' }]);
  });

  test('has nothing left to try where a policy did', async () => {
    rig.provider.always({ status: 503 });
    const by = wrapFetch(fetch, { retry: createRetries(2) });
    const client = new OpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: by, logLevel: 'off' });
    await expect(client.chat.completions.create({ model: 'gpt-4.1', messages: prompt })).rejects.toMatchObject({
      status: 503,
    });
    expect([rig.provider.requests.length, calls().length]).toEqual([2, 1]);
  });

  test('is seen by what it says of its tries, each of which is told of', async () => {
    rig.provider.next({ status: 503 });
    await (await send(anthropic, {}, { headers: { 'x-stainless-retry-count': '0' } })).text();
    await (await send(anthropic, {}, { headers: { 'x-stainless-retry-count': '1' } })).text();
    expect(rig.attempts()).toMatchObject([
      { start: { dependency: 'llm.anthropic', attempt: 1 }, outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE' },
      { start: { dependency: 'llm.anthropic', attempt: 2 }, outcome: 'ok' },
    ]);
    // The failure was read, so it was the end of that call.
    expect(calls().map(({ attributes }) => attributes.attempts)).toEqual([1, 2]);
  });

  test('that says nothing costs nothing', async () => {
    await (await send(gemini)).text();
    expect(rig.attempts()).toEqual([]);
  });
});

async function drained(answer: unknown): Promise<void> {
  if (typeof answer !== 'object' || answer === null || !(Symbol.asyncIterator in answer)) return;
  for await (const _event of answer as AsyncIterable<unknown>);
}
