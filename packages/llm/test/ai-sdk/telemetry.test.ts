import { describe, expect, test } from '@jest/globals';
import { openOperations } from '@sage-adk/core';
import { createOpenAI } from '@ai-sdk/openai';
import {
  generateText,
  isStepCount,
  jsonSchema,
  registerTelemetry,
  streamText,
  type Telemetry,
  tool,
  wrapLanguageModel,
} from 'ai';
import { createAiSdkMiddleware, createAiSdkTelemetry } from '../../src/ai-sdk/index.ts';
import { wrapFetch } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';

const rig = useRig();
const { calls } = rig;
const usage = { inputTokens: 12, outputTokens: 34 };
const telemetry = { integrations: [createAiSdkTelemetry({ price: unitPrice })] satisfies Telemetry[] };
const clock = tool({
  inputSchema: jsonSchema<{ city?: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
  execute: async () => 'noon',
});

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const modelBy = (own: typeof fetch) =>
  createOpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: own }).chat('gpt-4.1');

describe('the telemetry of the AI SDK', () => {
  test('tells of the calls of models and tools, step by step', async () => {
    rig.provider.next(
      { toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }], usage },
      { text: 'It is noon.', usage },
    );
    const { text } = await generateText({
      model: modelBy(fetch),
      prompt: 'What time is it?',
      tools: { clock },
      stopWhen: isStepCount(3),
      telemetry,
    });
    expect(text).toBe('It is noon.');
    expect(calls()).toMatchObject([
      {
        start: { provider: 'openai', api: 'chat', model: 'gpt-4.1', stream: false },
        attributes: { ...usage, costNanoUsd: 352n },
      },
      { attributes: { ...usage, costNanoUsd: 352n, finishReason: 'stop' } },
    ]);
    expect(rig.recorder.named('tool.call')).toMatchObject([
      { start: { tool: 'clock' }, outcome: 'ok', attributes: { callId: expect.any(String) } },
    ]);
    expect(openOperations()).toBe(0);
  });

  test('tells of a stream until its end', async () => {
    rig.provider.next({ text: 'It is noon.', usage });
    const result = streamText({ model: modelBy(fetch), prompt: 'What time is it?', telemetry });
    expect(await result.text).toBe('It is noon.');
    expect(calls()).toMatchObject([
      { start: { stream: true }, outcome: 'ok', attributes: { ...usage, firstTokenMs: expect.any(Number) } },
    ]);
  });

  test("within the SDK's own tries and around a wrapped fetch, a call is one", async () => {
    const purse = createPurse(1_000_000_000n);
    rig.provider.next({ status: 503, retryAfterMs: 1 }, { text: 'It is noon.', usage });
    await generateText({
      model: modelBy(wrapFetch(fetch, { price: unitPrice })),
      prompt: 'What time is it?',
      telemetry,
    });
    rig.provider.next({ status: 503, retryAfterMs: 1 }, { text: 'It is noon.', usage });
    const middleware = createAiSdkMiddleware({ limiter: purse, price: unitPrice });
    const result = streamText({
      model: wrapLanguageModel({ model: modelBy(fetch), middleware }),
      prompt: 'What time is it?',
      telemetry,
    });
    await result.text;
    await soon(() => purse.reserved.every(({ ends }) => ends === 1));
    expect(calls()).toMatchObject([
      { outcome: 'ok', attributes: { ...usage, attempts: 2, costNanoUsd: 352n } },
      { outcome: 'ok', attributes: { ...usage, attempts: 2, costNanoUsd: 352n } },
    ]);
    expect(purse.spentNanoUsd).toBe(352n);
  });

  test('tells of a tool that fails', async () => {
    rig.provider.next({ toolCalls: [{ name: 'clock', arguments: {} }], usage });
    const broken = { ...clock, execute: async () => Promise.reject(new Error('stopped')) };
    await generateText({ model: modelBy(fetch), prompt: 'What time is it?', tools: { clock: broken }, telemetry });
    expect(rig.recorder.named('tool.call')).toMatchObject([{ outcome: 'error' }]);
  });

  test('is registered for all calls at once', async () => {
    registerTelemetry(createAiSdkTelemetry());
    rig.provider.next({ text: 'It is noon.', usage });
    await generateText({ model: modelBy(fetch), prompt: 'What time is it?' });
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: usage }]);
    globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = [];
  });
});

test('telemetry leaves the tries of the SDK to the SDK', async () => {
  rig.provider.next({ status: 503, shouldRetry: false, retryAfterMs: 1 }, { text: 'It is noon.' });
  const { text } = await generateText({ model: modelBy(fetch), prompt: 'What time is it?', maxRetries: 1, telemetry });
  expect([text, rig.provider.requests.length]).toEqual(['It is noon.', 2]);
});
