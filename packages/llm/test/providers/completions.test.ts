/** OpenAI's completions of a prompt, under its own SDK, and its compaction of what was said. */
import { describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';

const rig = useRig();
const { calls } = rig;
const usage = { inputTokens: 12, outputTokens: 34, cachedInputTokens: 4 };
const asked = { model: 'gpt-3.5-turbo-instruct', prompt: 'What time is it in Seoul?' };

function clientOf(policies: LlmPolicies, by: typeof fetch = fetch): OpenAI {
  return new OpenAI({
    baseURL: `${rig.provider.url}/v1`,
    apiKey: 'any',
    maxRetries: 0,
    logLevel: 'off',
    fetch: wrapFetch(by, policies),
  });
}

describe("a completion by OpenAI's SDK", () => {
  test('is one call, priced, and settled with what it used', async () => {
    const purse = createPurse(1_000_000_000n);
    rig.provider.next({ text: 'It is noon.', usage });
    const { choices } = await clientOf({ limiter: purse, price: unitPrice }).completions.create({
      ...asked,
      max_tokens: 100,
    });
    expect(choices).toMatchObject([{ text: 'It is noon.', finish_reason: 'stop' }]);
    expect(calls()).toMatchObject([
      {
        start: { provider: 'openai', api: 'completions', model: asked.model, stream: false },
        outcome: 'ok',
        attributes: { ...usage, finishReason: 'stop', responseModel: asked.model, costNanoUsd: 352n },
      },
    ]);
    expect(purse.reserved).toMatchObject([{ estimate: { outputTokens: 100 }, end: { costNanoUsd: 352n } }]);
  });

  test.each([true, false])('streams, and usage is told whether it was asked for or not: %s', async (asksItself) => {
    const purse = createPurse(1_000_000_000n);
    rig.provider.next({ text: 'It is noon.', usage });
    const stream = await clientOf({ limiter: purse, price: unitPrice }).completions.create({
      ...asked,
      stream: true,
      ...(asksItself && { stream_options: { include_usage: true } }),
    });
    let text = '';
    let told = 0;
    for await (const { choices, usage: counts } of stream) {
      text += choices[0]?.text ?? '';
      if (counts != null) told++;
    }
    expect([text, told]).toEqual(['It is noon.', asksItself ? 1 : 0]);
    await soon(() => calls().length > 0);
    expect(calls()).toMatchObject([
      {
        start: { api: 'completions', stream: true },
        outcome: 'ok',
        attributes: { ...usage, finishReason: 'stop', costNanoUsd: 352n, firstTokenMs: expect.any(Number) },
      },
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
  });

  test.each([
    ['one prompt', {}, 1],
    ['several answers', { n: 3 }, 3],
    ['the best of several', { n: 2, best_of: 5 }, 5],
    ['several prompts', { prompt: ['one', 'two', 'three'] }, 3],
    ['several answers to several prompts', { prompt: ['one', 'two', 'three'], n: 2 }, 6],
    ['a prompt in tokens', { prompt: [11, 12, 13] }, 1],
    ['prompts in tokens', { prompt: [[11, 12], [13]] }, 2],
    ['no prompt', { prompt: null }, 1],
    ['a list of none', { prompt: [] }, 1],
  ])('reserves all that is made: %s', async (_what, more, answers) => {
    const purse = createPurse(1_000_000_000n);
    await clientOf({ limiter: purse, price: unitPrice }).completions.create({ ...asked, max_tokens: 100, ...more });
    expect(purse.reserved).toMatchObject([{ asked: { outputTokens: 100 * answers } }]);
  });

  test('to several prompts is done when all are', async () => {
    const said = (index: number, finish: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index, text: 'a', finish_reason: finish }] })}\n\n`;
    const open = async () =>
      new Response([said(0, null), said(0, 'stop'), said(1, null)].join(''), {
        headers: { 'content-type': 'text/event-stream' },
      });
    const stream = await clientOf({}, open).completions.create({ ...asked, prompt: ['one', 'two'], stream: true });
    for await (const { choices } of stream) if (choices[0]?.index === 1) break;
    await soon(() => calls().length > 0);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
  });
});

describe('a compaction', () => {
  const compacted = {
    id: 'resp_1',
    object: 'response.compaction',
    created_at: 1_764_967_971,
    output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'gAAAAA' }],
    usage: {
      input_tokens: 139,
      input_tokens_details: { cached_tokens: 100 },
      output_tokens: 438,
      output_tokens_details: { reasoning_tokens: 64 },
      total_tokens: 577,
    },
  };
  const compact = async (policies: LlmPolicies) => {
    const sent: unknown[] = [];
    const answer = await clientOf(policies, async (_url, init) => {
      sent.push(init?.body);
      return Response.json(compacted);
    }).responses.compact({ model: 'gpt-5.1', input: 'What time is it in Seoul?' });
    return { answer, sent };
  };

  test('is a call, and goes out as it was written, since no limit can be set', async () => {
    const purse = createPurse(1_000_000_000n);
    const { answer, sent } = await compact({ limiter: purse, price: unitPrice, defaultOutputTokens: 5_000 });
    expect(answer.output).toEqual(compacted.output);
    expect(sent).toEqual(['{"model":"gpt-5.1","input":"What time is it in Seoul?"}']);
    expect(calls()).toMatchObject([
      {
        start: { provider: 'openai', api: 'responses', model: 'gpt-5.1', stream: false },
        outcome: 'ok',
        attributes: { inputTokens: 139, cachedInputTokens: 100, outputTokens: 438, reasoningTokens: 64 },
      },
    ]);
    expect(purse.reserved.at(-1)).toMatchObject({ estimate: { outputTokens: 5_000 }, end: { outputTokens: 438 } });
    expect(purse.heldNanoUsd).toBe(0n);
  });

  test.each([true, false])('is refused where not all that it may take is left (clamp: %s)', async (clamp) => {
    const purse = createPurse(10_000n);
    await expect(compact({ limiter: purse, price: unitPrice, clamp })).rejects.toMatchObject({ status: 422 });
    expect([purse.heldNanoUsd, purse.spentNanoUsd]).toEqual([0n, 0n]);
  });
});
