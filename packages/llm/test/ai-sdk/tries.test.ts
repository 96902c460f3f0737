/** When the AI SDK tries again, and that the calls here end when it does not. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { describe, expect, test } from '@jest/globals';
import { APICallError, generateText, streamText, wrapLanguageModel } from 'ai';
import { createAiSdkMiddleware, createAiSdkTelemetry } from '../../src/ai-sdk/index.ts';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, createRetries, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { nothingWithin } from '../support/streamed.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
const rig = useRig();
const { calls } = rig;
const longestMs = 20_000;
const models = {
  anthropic: () => createAnthropic({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any' })('claude-next'),
  google: () => createGoogleGenerativeAI({ baseURL: `${rig.provider.url}/v1beta`, apiKey: 'any' })('gemini-2.5-flash'),
  openai: () => createOpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any' }).chat('gpt-4.1'),
};

test(
  'given up while the SDK waits, a call is over, and the next of the same is another',
  async () => {
    rig.provider.next({ status: 503 }, { text: 'Noon.' });
    const middleware = createAiSdkMiddleware({ limiter: createPurse(1_000_000_000n), price: unitPrice });
    const model = wrapLanguageModel({ model: models.openai(), middleware });
    const controller = new AbortController();
    const first = generateText({ model, prompt: 'x', abortSignal: controller.signal });
    first.catch(() => {});
    await soon(() => rig.provider.requests.length === 1);
    await nothingWithin(50);
    controller.abort();
    await expect(first).rejects.toThrow();
    expect(calls()).toHaveLength(1);
    // The SDK waits two seconds before it tries again.
    await nothingWithin(2_050);
    await generateText({ model, prompt: 'x' });
    await soon(() => calls().length === 2);
  },
  longestMs,
);

test.each(['generate', 'stream'])(
  'a connection that is lost as often as the policy tries is not tried again by the SDK (%s)',
  async (way) => {
    let asked = 0;
    const fail = async (): Promise<never> => {
      asked++;
      const message = 'Cannot connect to API';
      throw new APICallError({ message, url: 'https://api.test', requestBodyValues: {}, isRetryable: true });
    };
    const model = wrapLanguageModel({
      model: Object.assign(models.openai(), { doGenerate: fail, doStream: fail }),
      middleware: createAiSdkMiddleware({ retry: createRetries(2) }),
    });
    const options = { model, prompt: 'x', maxRetries: 1 };
    if (way === 'generate') await expect(generateText(options)).rejects.toThrow('Cannot connect');
    else {
      const types: string[] = [];
      for await (const { type } of streamText({ ...options, onError: () => {} }).stream) types.push(type);
      expect(types).toContain('error');
    }
    await soon(() => calls().length === 1);
    expect([asked, calls()]).toMatchObject([2, [{ outcome: 'error' }]]);
  },
  longestMs,
);

describe.each(['anthropic', 'google'] as const)('an error in a stream of %s', (name) => {
  test(
    'is not tried again by the SDK, and ends the call',
    async () => {
      rig.provider.next({ errorEventAt: { contents: 0 }, status: 503 });
      const model = wrapLanguageModel({
        model: models[name](),
        middleware: createAiSdkMiddleware({ price: unitPrice }),
      });
      const types: string[] = [];
      for await (const { type } of streamText({ model, prompt: 'x', onError: () => {} }).stream) types.push(type);
      await soon(() => calls().length === 1);
      expect([types.includes('error'), rig.provider.requests.length]).toEqual([true, 1]);
    },
    longestMs,
  );
});

test.each(['anthropic', 'google', 'openai'] as const)(
  'telemetry changes nothing of a stream with an error in place of content (%s)',
  async (name) => {
    const seen: unknown[] = [];
    for (const integrations of [[], [createAiSdkTelemetry({ price: unitPrice, maxRetries: 0 })]]) {
      rig.provider.next({ errorEventAt: { contents: 0 }, status: 400 });
      const options = { model: models[name](), prompt: 'x', maxRetries: 0, onError: () => {} };
      const result = streamText({ ...options, ...({ telemetry: { integrations } } as object) });
      const types: string[] = [];
      for await (const { type } of result.stream) types.push(type);
      seen.push([types, await Promise.resolve(result.finishReason).catch((error: unknown) => String(error))]);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(calls()).toMatchObject([{ outcome: 'error' }]);
  },
  longestMs,
);

test('a denial of a layer inside is not that of a later try', async () => {
  const empty = createPurse(10n);
  const full = createPurse(1_000_000_000n);
  let isFirst = true;
  const reserve: typeof empty.reserve = (...asked) => (isFirst ? empty : full).reserve(...asked);
  const inner = wrapFetch(fetch, { limiter: { reserve }, price: unitPrice });
  const { signal } = new AbortController();
  const retry = {
    async execute<T>(call: (attempt: { attempt: number; signal: AbortSignal }) => Promise<T>): Promise<T> {
      await call({ attempt: 1, signal }).catch(() => {});
      isFirst = false;
      return call({ attempt: 2, signal });
    },
  };
  const model = wrapLanguageModel({
    model: createAnthropic({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: inner })('claude-next'),
    middleware: createAiSdkMiddleware({ retry }),
  });
  rig.provider.next({ status: 400 });
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'x' }] }];
  await expect(model.doGenerate({ prompt })).rejects.toMatchObject({ statusCode: 400 });
});
