/** Hosts that speak OpenAI's API, each with words of its own. The numbers are made up; the shapes are documented where it says, or what users met. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type OperationRecorder, recordOperations } from '@sage-adk/core/testing';
import { createPriceTable, wrapFetch } from '../../src/index.ts';
import { createPurse } from '../support/policies.ts';

let recorder: OperationRecorder;
beforeEach(() => {
  recorder = recordOperations();
});
afterEach(() => {
  recorder[Symbol.dispose]();
});

const learned = () => recorder.named('llm.call').at(-1)?.attributes;
const calls = () => recorder.named('llm.call');

describe('OM7: usage that a host counts in its own way', () => {
  test.each([
    [
      'xAI, whose reasoning stands beside the completion',
      'https://docs.x.ai/docs/key-information/consumption-and-rate-limits',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      { inputTokens: 32, outputTokens: 103, reasoningTokens: 94 },
    ],
    [
      'Gemini behind OpenAI’s API, whose thoughts are in nothing but the total',
      'https://ai.google.dev/gemini-api/docs/openai',
      { prompt_tokens: 8, completion_tokens: 20, total_tokens: 528 },
      { inputTokens: 8, outputTokens: 520 },
    ],
    [
      'DeepSeek, which tells hits of its cache',
      'https://api-docs.deepseek.com/api/create-chat-completion',
      {
        prompt_tokens: 20,
        completion_tokens: 6,
        total_tokens: 26,
        prompt_cache_hit_tokens: 16,
        prompt_cache_miss_tokens: 4,
      },
      { inputTokens: 20, outputTokens: 6, cachedInputTokens: 16 },
    ],
    [
      'Moonshot, which tells them without details',
      'https://platform.moonshot.ai/docs/api/chat',
      { prompt_tokens: 19, completion_tokens: 21, total_tokens: 40, cached_tokens: 10 },
      { inputTokens: 19, outputTokens: 21, cachedInputTokens: 10 },
    ],
    [
      'who tells a total that is too small',
      'nobody',
      { prompt_tokens: 19, completion_tokens: 21, total_tokens: 0 },
      { inputTokens: 19, outputTokens: 21 },
    ],
  ])('%s (%s)', async (_name, _source, usage, counted) => {
    await ask({ choices: [], usage });
    expect(learned()).toMatchObject(counted);
    await ask(
      said('Hi'),
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage },
      '[DONE]',
    );
    expect(learned()).toMatchObject(counted);
    expect(learned()).toHaveProperty('attempts', 1);
  });

  test('within the last choice of a stream, as Moonshot does', async () => {
    const usage = { prompt_tokens: 19, completion_tokens: 21, total_tokens: 40 };
    await ask(said('Hi'), { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] }, '[DONE]');
    expect(learned()).toMatchObject({ inputTokens: 19, outputTokens: 21, finishReason: 'stop' });
  });

  test('in a member of its own, as Groq does', async () => {
    const usage = { prompt_tokens: 19, completion_tokens: 21, total_tokens: 40 };
    const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { id: 'req_1', usage } };
    await ask(said('Hi'), last, '[DONE]');
    expect(learned()).toMatchObject({ inputTokens: 19, outputTokens: 21 });
  });

  test('with every event, as vLLM and Perplexity do: the last counts', async () => {
    const usageOf = (completion: number) => ({ prompt_tokens: 19, completion_tokens: completion, total_tokens: 0 });
    await ask(
      { ...said('Hi'), usage: usageOf(1) },
      { ...said(' there'), usage: usageOf(2) },
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: usageOf(2) },
      '[DONE]',
    );
    expect(learned()).toMatchObject({ inputTokens: 19, outputTokens: 2 });
  });
});

describe('content that a host spells in its own way', () => {
  test.each([
    [
      'Mistral, in parts',
      { role: 'assistant', content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
    ],
    ['DeepSeek and vLLM', { role: 'assistant', content: null, reasoning_content: 'hm' }],
    ['OpenRouter, Ollama and Groq', { role: 'assistant', content: '', reasoning: 'hm' }],
    [
      'a call of a tool in one event',
      {
        content: null,
        tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
    ],
  ])('%s: begins the answer', async (_name, delta) => {
    await ask({ choices: [{ index: 0, delta }] }, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    expect(learned()?.firstTokenMs).toBeGreaterThan(0);
  });

  test('a stream that was not asked for says when its first token came', async () => {
    const startedMs = performance.now();
    const response = await wrapFetch(async () => stream(eventsOf([said('Hi')])))(url, { method: 'POST', body: '{}' });
    await response.text();
    const { firstTokenMs = Number.NaN } = calls()[0]?.attributes ?? {};
    expect(firstTokenMs).toBeGreaterThan(0);
    expect(firstTokenMs).toBeLessThanOrEqual(performance.now() - startedMs);
  });

  test('OpenRouter keeps a connection alive with comments, which are none', async () => {
    const body = `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${eventsOf([said('Hi')])}`;
    const response = await wrapFetch(async () => stream(body))(url, { method: 'POST', body: '{"stream":true}' });
    expect(await response.text()).toBe(body);
    expect(calls()[0]?.attributes.outputTokens).toBe(1);
  });
});

describe('Azure', () => {
  const filtered = { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [] };

  test('begins a stream with an event without content or model, which is not the model', async () => {
    await ask(
      filtered,
      { ...said('Hi'), model: 'gpt-4.1-2025-04-14' },
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 } },
      '[DONE]',
    );
    expect(learned()).toMatchObject({ responseModel: 'gpt-4.1-2025-04-14', inputTokens: 5 });
  });

  test('tells nothing where no event names the model', async () => {
    await ask(filtered, said('Hi'), { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }, '[DONE]');
    expect(learned()).not.toHaveProperty('responseModel');
  });

  test('RL5, OM10: is limited and priced by the deployment, also for embeddings, whose body names no model', async () => {
    const price = createPriceTable({
      prices: { openai: { 'text-embedding-3-small': { input: 1, output: 0 } } },
      aliases: { openai: { ours: 'text-embedding-3-small' } },
    });
    const limiter = createPurse(1_000_000_000n);
    const answer = { data: [], usage: { prompt_tokens: 8, total_tokens: 8 } };
    const path = 'https://r.openai.azure.test/openai/deployments/ours/embeddings?api-version=2024-10-21';
    const response = await wrapFetch(async () => Response.json(answer), { price, limiter })(path, {
      method: 'POST',
      body: '{"input":"Hello"}',
    });
    await response.text();
    expect([response.status, calls()[0]?.start.model, learned()?.costNanoUsd]).toEqual([200, 'ours', 8_000n]);
  });
});

const url = 'https://api.test/v1/chat/completions';

function said(content: string) {
  return { choices: [{ index: 0, delta: { content } }] };
}

function eventsOf(events: readonly unknown[]): string {
  return events.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');
}

function stream(body: string): Response {
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** Answers with one event as JSON, with several as a stream. */
async function ask(...events: readonly unknown[]): Promise<void> {
  const answer = () => (events.length === 1 ? Response.json(events[0]) : stream(eventsOf(events)));
  const body = JSON.stringify({ model: 'm', messages: [], stream: events.length > 1 });
  await (await wrapFetch(async () => answer())(url, { method: 'POST', body })).text();
}
