/** Limits of output tokens that a provider refuses are never sent: what cannot be granted is denied. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { expect, test } from '@jest/globals';
import { generateText, wrapLanguageModel } from 'ai';
import { createAiSdkMiddleware } from '../../src/ai-sdk/index.ts';
import { type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';

async function ask(path: string, body: object, policies: LlmPolicies) {
  let sent: Record<string, unknown> | undefined;
  const by = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    sent = JSON.parse(init?.body as string) as Record<string, unknown>;
    return Response.json({});
  };
  const init = { method: 'POST', body: JSON.stringify(body) };
  const answer = await wrapFetch(by, policies)(`https://api.test${path}`, init);
  await answer.text();
  return { status: answer.status, sent };
}

test('of the responses of OpenAI: 16', async () => {
  const seen = new Set<number>();
  for (let left = 40n; left <= 400n; left += 20n) {
    const { status, sent } = await ask(
      '/v1/responses',
      { model: 'gpt-5', input: 'x' },
      { limiter: createPurse(left), price: unitPrice },
    );
    seen.add(status);
    if (status === 200) expect(sent?.['max_output_tokens']).toBeGreaterThanOrEqual(16);
  }
  expect([...seen].toSorted((a, b) => a - b)).toEqual([200, 422]);
});

test('of Anthropic: more than it may think', async () => {
  const thinking = { type: 'enabled', budget_tokens: 10_000 };
  const body = { model: 'c', max_tokens: 16_000, thinking, messages: [] };
  const few = { limiter: createPurse(30_000n), price: unitPrice, clamp: true };
  expect(await ask('/v1/messages', body, few)).toEqual({ status: 422, sent: undefined });
  const { status, sent } = await ask('/v1/messages', body, { ...few, limiter: createPurse(120_000n) });
  expect(status).toBe(200);
  expect(sent?.['max_tokens']).toBeGreaterThan(10_000);
  expect(sent?.['max_tokens']).toBeLessThan(16_000);
});

test('under the AI SDK, what Claude may think comes on top and is reserved', async () => {
  const purse = createPurse(1_000_000_000n);
  let sent: { max_tokens?: number } = {};
  const by: typeof fetch = async (_input, init) => {
    sent = JSON.parse(init?.body as string) as typeof sent;
    const content = [{ type: 'text', text: 'hi' }];
    const usage = { input_tokens: 5, output_tokens: 9_000 };
    return Response.json({
      type: 'message',
      id: 'm',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content,
      stop_reason: 'end_turn',
      usage,
    });
  };
  const model = wrapLanguageModel({
    model: createAnthropic({ apiKey: 'any', fetch: by })('claude-sonnet-4-5'),
    middleware: createAiSdkMiddleware({ limiter: purse, price: unitPrice }),
  });
  const providerOptions = { anthropic: { thinking: { type: 'enabled', budgetTokens: 10_000 } } };
  await generateText({ model, prompt: 'x', maxOutputTokens: 1_000, providerOptions });
  expect([purse.reserved[0]?.estimate.outputTokens, sent.max_tokens]).toEqual([11_000, 11_000]);
});
