/** Gemini's interactions under its own SDK. */
import { GoogleGenAI } from '@google/genai';
import { describe, expect, test } from '@jest/globals';
import { type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';

const { calls } = useRig();
const model = 'gemini-3-flash-preview';
const usage = {
  total_input_tokens: 100,
  total_cached_tokens: 40,
  total_output_tokens: 9,
  total_thought_tokens: 22,
  total_tool_use_tokens: 7,
  total_tokens: 138,
};
const used = { inputTokens: 107, cachedInputTokens: 40, outputTokens: 31, reasoningTokens: 22 };
const completed = { id: 'v1_1', status: 'completed', object: 'interaction', model, usage };
const whole = { ...completed, steps: [{ type: 'model_output', content: [{ type: 'text', text: 'It is noon.' }] }] };

function event(event_type: string, value: object): string {
  return `event: ${event_type}\ndata: ${JSON.stringify({ ...value, event_type })}\n\n`;
}

const begin = [
  event('interaction.created', { interaction: { id: 'v1_1', status: 'in_progress', model } }),
  event('interaction.status_update', { interaction_id: 'v1_1', status: 'in_progress' }),
  event('step.start', { index: 0, step: { type: 'thought' } }),
  event('step.delta', { index: 0, delta: { signature: 'EpoGCpcG', type: 'thought_signature' } }),
  event('step.stop', { index: 0 }),
  event('step.start', { index: 1, step: { type: 'model_output' } }),
  event('step.delta', { index: 1, delta: { text: 'It is ', type: 'text' } }),
];
const rest = [
  event('step.delta', { index: 1, delta: { text: 'noon.', type: 'text' } }),
  event('step.stop', { index: 1 }),
  event('interaction.completed', { interaction: completed }),
  'event: done\ndata: [DONE]\n\n',
];

/** A client, and the bodies of what it sends. */
function clientOf(policies: LlmPolicies, answer: () => Response) {
  const sent: unknown[] = [];
  const open = async (input: string | URL | Request, init?: RequestInit) => {
    sent.push(await new Request(input, init).json());
    return answer();
  };
  const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { fetch: wrapFetch(open, policies) } });
  return { interactions: client.interactions, sent };
}

function streamOf(...events: readonly string[]): Response {
  return new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } });
}

describe("an interaction by Google's SDK", () => {
  test('is one call, priced, and settled with what it used', async () => {
    const purse = createPurse(1_000_000_000n);
    const policies = { limiter: purse, price: unitPrice, defaultOutputTokens: 500 };
    const { interactions, sent } = clientOf(policies, () => Response.json(whole));
    const answer = await interactions.create({ model, input: 'What time is it in Seoul?' });
    expect(answer.status).toBe('completed');
    expect(sent).toMatchObject([{ model, generation_config: { max_output_tokens: 500 } }]);
    expect(calls()).toMatchObject([
      {
        start: { provider: 'gemini', api: 'interactions', model, stream: false },
        outcome: 'ok',
        attributes: { ...used, finishReason: 'completed', responseModel: model, costNanoUsd: 417n },
      },
    ]);
    expect(purse.reserved).toMatchObject([{ estimate: { outputTokens: 500 }, end: { costNanoUsd: 417n } }]);
  });

  test('streams', async () => {
    const { interactions } = clientOf({ price: unitPrice }, () => streamOf(...begin, ...rest));
    const stream = await interactions.create({ model, input: 'What time is it in Seoul?', stream: true });
    let text = '';
    for await (const one of stream) {
      if (one.event_type === 'step.delta' && one.delta.type === 'text') text += one.delta.text;
    }
    expect(text).toBe('It is noon.');
    await soon(() => calls().length > 0);
    expect(calls()).toMatchObject([
      {
        start: { provider: 'gemini', api: 'interactions', model, stream: true },
        outcome: 'ok',
        attributes: { ...used, finishReason: 'completed', costNanoUsd: 417n, firstTokenMs: expect.any(Number) },
      },
    ]);
  });

  test.each([
    ['ends too early', [], 'SAGE_LLM_INCOMPLETE'],
    [
      'has an error in it',
      [event('error', { error: { code: 'resource_exhausted', message: 'no more' } })],
      'SAGE_LLM_RATE_LIMITED',
    ],
  ])('that %s is an error', async (_how, more, code) => {
    const policies = { price: unitPrice };
    const open = async () => streamOf(...begin, ...more);
    const body = JSON.stringify({ model, input: 'Hi', stream: true });
    const url = 'https://generativelanguage.googleapis.com/v1beta/interactions';
    await (await wrapFetch(open, policies)(url, { method: 'POST', body })).text();
    expect(calls()).toMatchObject([{ outcome: 'error', code, attributes: { responseModel: model } }]);
  });

  test('that is left early is paid by what it told so far', async () => {
    const so = event('step.delta', { delta: { text: 'noon', type: 'text' }, metadata: { total_usage: usage } });
    const purse = createPurse(1_000_000_000n);
    const { interactions } = clientOf({ limiter: purse, price: unitPrice }, () => streamOf(...begin, so, ...rest));
    const stream = await interactions.create({ model, input: 'Hi', stream: true });
    for await (const one of stream) if (one.event_type === 'step.delta' && one.metadata !== undefined) break;
    await soon(() => {
      globalThis.gc?.();
      return purse.reserved[0]?.ends === 1;
    });
    expect(purse.reserved).toMatchObject([{ end: { inputTokens: 107, outputTokens: 31 } }]);
  });

  test('in the background is paid as a whole, and that of an agent gets no limit written in', async () => {
    const queued = { id: 'v1_1', status: 'in_progress', agent: 'deep-research-pro-preview-12-2025' };
    const purse = createPurse(1_000_000_000n);
    const policies = { limiter: purse, price: unitPrice, defaultOutputTokens: 500 };
    const { interactions, sent } = clientOf(policies, () => Response.json(queued));
    await interactions.create({ agent: 'deep-research-pro-preview-12-2025', input: 'Why?', background: true });
    expect(sent).toEqual([{ agent: 'deep-research-pro-preview-12-2025', input: 'Why?', background: true }]);
    expect(purse.reserved).toMatchObject([{ estimate: { outputTokens: 500 }, end: { outputTokens: 500 } }]);
  });
});
