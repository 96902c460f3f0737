/** What a call through the AI SDK may use at most is what is reserved, however the SDK spells what it asks for. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { describe, expect, test } from '@jest/globals';
import { generateText, type ModelMessage, wrapLanguageModel } from 'ai';
import { type AiPolicies, createAiSdkMiddleware } from '../../src/ai-sdk/index.ts';
import { createPriceTable } from '../../src/index.ts';
import { createPurse, unitPrice } from '../support/policies.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

type Asked = Omit<Parameters<typeof generateText>[0], 'model' | 'prompt' | 'messages'>;

interface Setting {
  readonly model?: string;
  readonly left?: bigint;
  readonly policies?: AiPolicies;
  readonly messages?: ModelMessage[];
}

/** Asks Claude, who uses all the output that it may, and gives what was reserved and what was sent. */
async function askClaude(asked: Asked, setting: Setting = {}) {
  const { model = 'claude-sonnet-4-5', left = 1_000_000_000_000n, policies, messages } = setting;
  let sent: { max_tokens?: number } = {};
  const provider = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    sent = JSON.parse(init?.body as string) as typeof sent;
    return Response.json({
      type: 'message',
      id: 'm',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: 'hi' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 5, output_tokens: sent.max_tokens },
    });
  };
  const limiter = createPurse(left);
  const middleware = createAiSdkMiddleware({ limiter, price: unitPrice, ...policies });
  const claude = createAnthropic({ apiKey: 'any', fetch: provider })(model);
  const code = await generateText({
    ...asked,
    model: wrapLanguageModel({ model: claude, middleware }),
    maxRetries: 0,
    messages: messages ?? [{ role: 'user', content: 'What time is it?' }],
  }).then(
    () => 'ok',
    (error: { code?: unknown }) => error.code,
  );
  const [reserved] = limiter.reserved;
  return { code, most: sent.max_tokens, reserved: reserved?.estimate, settled: reserved?.end };
}

const budget = (budgetTokens: number) => ({
  providerOptions: { anthropic: { thinking: { type: 'enabled' as const, budgetTokens } } },
});

describe('what Claude thinks is reserved, too:', () => {
  test.each<[string, Asked, number]>([
    ['a budget, without a limit of output tokens', budget(20_000), 36_384],
    ['a budget beside a limit', { ...budget(10_000), maxOutputTokens: 1_000 }, 11_000],
    ['a word for it, without a limit', { reasoning: 'high' }, 54_784],
    ['a word for it beside a limit', { reasoning: 'low', maxOutputTokens: 1_000 }, 7_400],
    ['none', { reasoning: 'none' }, 16_384],
    [
      'a word with an effort, which is no budget',
      { reasoning: 'high', providerOptions: { anthropic: { effort: 'low' } } },
      16_384,
    ],
  ])('%s', async (_how, asked, most) => {
    const answer = await askClaude(asked);
    expect(answer).toMatchObject({ code: 'ok', reserved: { outputTokens: most }, settled: { outputTokens: most } });
    expect(answer.most).toBe(most);
  });

  test('of a model that decides by itself, it is within what it may answer', async () => {
    const answer = await askClaude({ reasoning: 'high', maxOutputTokens: 1_000 }, { model: 'claude-opus-4-8' });
    expect(answer).toMatchObject({ code: 'ok', most: 1_000, reserved: { outputTokens: 1_000 } });
  });

  test('and what is left is not granted where that is no more than the thoughts', async () => {
    const setting = { left: 30_000n, policies: { clamp: true } };
    const answer = await askClaude({ ...budget(10_000), maxOutputTokens: 1_000 }, setting);
    expect(answer).toMatchObject({ code: 'SAGE_LLM_NEVER_ALLOWED', most: undefined });
  });

  test('a grant of more than the thoughts is sent as such', async () => {
    const setting = { left: 105_000n, policies: { clamp: true } };
    const { code, most, reserved } = await askClaude({ ...budget(10_000), maxOutputTokens: 1_000 }, setting);
    expect([code, most]).toEqual(['ok', reserved?.outputTokens]);
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThan(11_000);
  });
});

test('a write to the cache that the call as a whole asks for is reserved', async () => {
  const price = createPriceTable({
    prices: { anthropic: { 'claude-sonnet-4-5': { input: 3, output: 15, cacheWrite: 3.75, longCacheWrite: 6 } } },
  });
  const messages: ModelMessage[] = [{ role: 'user', content: 'word '.repeat(30_000) }];
  const setting = { messages, policies: { price }, left: 1_000_000_000_000n };
  const plain = await askClaude({}, setting);
  const cacheControl = { type: 'ephemeral' as const, ttl: '1h' as const };
  const written = await askClaude({ providerOptions: { anthropic: { cacheControl } } }, setting);
  const costOf = ({ reserved }: typeof plain): number => Number(reserved?.costNanoUsd);
  expect(costOf(written) - costOf(plain)).toBeGreaterThan(30_000 * 3_000);
});

describe('an image is one, however it is given:', () => {
  const png = Buffer.concat([Buffer.from('iVBORw0KGgo', 'base64'), Buffer.alloc(3_000)]);
  const url = 'https://images.test/1.png';
  test.each<[string, ModelMessage['content']]>([
    ['a few bytes', [{ type: 'image', image: png.subarray(0, 64) }]],
    ['bytes', [{ type: 'file', data: png, mediaType: 'image/png' }]],
    ['bytes in base64', [{ type: 'image', image: png.toString('base64') }]],
    ['many bytes', [{ type: 'image', image: Buffer.concat([png, Buffer.alloc(20_000)]) }]],
    ['an address', [{ type: 'image', image: new URL(url) }]],
  ])('%s', async (_how, content) => {
    const { reserved } = await askClaude({}, { messages: [{ role: 'user', content }] as ModelMessage[] });
    expect(reserved?.inputTokens).toBeGreaterThan(5_000);
    // Bytes that are too few to be told from text count as that as well.
    expect(reserved?.inputTokens).toBeLessThan(8_000);
  });

  test.each([
    ['V3, an address', new URL(url)],
    ['V3, an address in words', url],
    ['V4, an address', { type: 'url', url: new URL(url) }],
    ['V4, a file that was uploaded', { type: 'reference', reference: { anthropic: 'file-1' } }],
  ])('%s', async (_how, data) => {
    const limiter = createPurse(1_000_000_000n);
    const answer = { content: [], finishReason: { unified: 'stop', raw: 'stop' }, usage: {} };
    const doGenerate = async () => answer;
    const asked = { doGenerate, doStream: doGenerate };
    const model = { provider: 'openai.chat', modelId: 'm', ...asked };
    const prompt = [{ role: 'user', content: [{ type: 'file', mediaType: 'image/png', data }] }];
    const middleware = createAiSdkMiddleware({ limiter, price: unitPrice });
    await middleware.wrapGenerate({ ...asked, params: { prompt }, model });
    expect(limiter.reserved[0]?.estimate.inputTokens).toBeGreaterThan(5_000);
    expect(limiter.reserved[0]?.estimate.inputTokens).toBeLessThan(5_100);
  });
});

test.each(['anthropic.messages', 'google.vertex.anthropic.messages', 'amazon-bedrock', 'microsoft-foundry.anthropic'])(
  'the input of Claude at %s is estimated as of Claude: 30 %% more',
  async (provider) => {
    const tokensOf = async (name: string, modelId: string): Promise<number> => {
      const limiter = createPurse(1_000_000_000n);
      const doGenerate = async () => ({ content: [], finishReason: 'stop', usage: {} });
      const asked = { doGenerate, doStream: doGenerate };
      const params = { prompt: [{ role: 'user', content: 'many words '.repeat(500) }] };
      const model = { provider: name, modelId, ...asked };
      await createAiSdkMiddleware({ limiter, price: unitPrice }).wrapGenerate({ ...asked, params, model });
      return limiter.reserved[0]?.estimate.inputTokens ?? 0;
    };
    const ratio =
      (await tokensOf(provider, 'us.anthropic.claude-4')) / (await tokensOf('other', 'us.another.one-llm-4'));
    expect(ratio).toBeGreaterThan(1.29);
    expect(ratio).toBeLessThan(1.31);
  },
);

test('a limit that OpenAI refuses for being too low is not sent', async () => {
  const limiter = createPurse(140n);
  let isSent = false;
  const provider = async (): Promise<Response> => {
    isSent = true;
    return Response.json({});
  };
  const model = createOpenAI({ apiKey: 'any', fetch: provider })('gpt-4.1');
  const middleware = createAiSdkMiddleware({ limiter, price: unitPrice });
  await expect(
    generateText({ model: wrapLanguageModel({ model, middleware }), prompt: 'x', maxRetries: 0 }),
  ).rejects.toMatchObject({ code: 'SAGE_LLM_NEVER_ALLOWED' });
  expect(isSent).toBe(false);
});

test('tries that are no number of tries are refused at once', () => {
  expect(() => createAiSdkMiddleware({}, { maxRetries: -1 })).toThrow('The option maxRetries is -1');
});
