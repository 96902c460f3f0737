/** What the clients of model providers throw, from a provider on this machine that fails as it is told. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { type Behaviour, createFaultyProvider, type ErrorName, errorNames } from '@sage-adk/llm/testing';
import { generateText, type LanguageModel, streamText } from 'ai';
import OpenAI from 'openai';
import { caught, type Origin, packageAndVersion, type Recorded } from '../origin.ts';

/** One client: a whole answer, and a stream read to its end. */
interface Client {
  complete(signal?: AbortSignal): Promise<unknown>;
  stream(signal?: AbortSignal): Promise<unknown>;
}

type MakeClient = (url: string, timeoutMs?: number) => Client;

const prompt = 'What time is it in Seoul?';

const openaiChat: MakeClient = (url, timeout) => {
  const client = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: 'any',
    maxRetries: 0,
    logLevel: 'off',
    ...(timeout && { timeout }),
  });
  const body = { model: 'gpt-4.1', messages: [{ role: 'user' as const, content: prompt }] };
  return {
    complete: (signal) => client.chat.completions.create(body, { signal }),
    stream: async (signal) => drain(await client.chat.completions.create({ ...body, stream: true }, { signal })),
  };
};

const openaiResponses: MakeClient = (url, timeout) => {
  const client = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: 'any',
    maxRetries: 0,
    logLevel: 'off',
    ...(timeout && { timeout }),
  });
  const body = { model: 'gpt-5-mini', input: prompt };
  return {
    complete: (signal) => client.responses.create(body, { signal }),
    stream: async (signal) => drain(await client.responses.create({ ...body, stream: true }, { signal })),
  };
};

const anthropicMessages: MakeClient = (url, timeout) => {
  const client = new Anthropic({
    baseURL: url,
    apiKey: 'any',
    maxRetries: 0,
    logLevel: 'off',
    ...(timeout && { timeout }),
  });
  const body = { model: 'claude-next', max_tokens: 100, messages: [{ role: 'user' as const, content: prompt }] };
  return {
    complete: (signal) => client.messages.create(body, { signal }),
    stream: async (signal) => drain(await client.messages.create({ ...body, stream: true }, { signal })),
  };
};

const gemini: MakeClient = (url, timeout) => {
  const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: url, fetch, ...(timeout && { timeout }) } });
  const body = (signal?: AbortSignal) => ({
    model: 'gemini-2.5-flash',
    contents: prompt,
    ...(signal && { config: { abortSignal: signal } }),
  });
  return {
    complete: (signal) => client.models.generateContent(body(signal)),
    stream: async (signal) => drain(await client.models.generateContentStream(body(signal))),
  };
};

function aiSdk(model: (url: string) => LanguageModel, maxRetries = 0): MakeClient {
  return (url) => ({
    complete: (signal) =>
      generateText({ model: model(url), prompt, maxRetries, ...(signal && { abortSignal: signal }) }),
    async stream(signal) {
      const failed: unknown[] = [];
      const { textStream } = streamText({
        model: model(url),
        prompt,
        maxRetries,
        ...(signal && { abortSignal: signal }),
        onError: ({ error }) => void failed.push(error),
      });
      await drain(textStream);
      if (failed.length > 0) throw failed[0];
    },
  });
}

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

export const sdkOrigins: readonly Origin[] = [
  origin('openai-chat', packageAndVersion('openai'), openaiChat),
  origin('openai-responses', packageAndVersion('openai'), openaiResponses),
  origin('anthropic', packageAndVersion('@anthropic-ai/sdk'), anthropicMessages),
  origin('google-genai', packageAndVersion('@google/genai'), gemini, ['content_policy']),
  origin(
    'ai-openai',
    `${packageAndVersion('ai')} with ${packageAndVersion('@ai-sdk/openai')}`,
    aiSdk((url) => createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }).chat('gpt-4.1')),
  ),
  origin(
    'ai-anthropic',
    `${packageAndVersion('ai')} with ${packageAndVersion('@ai-sdk/anthropic')}`,
    aiSdk((url) => createAnthropic({ baseURL: `${url}/v1`, apiKey: 'any' })('claude-next')),
  ),
  origin(
    'ai-google',
    `${packageAndVersion('ai')} with ${packageAndVersion('@ai-sdk/google')}`,
    aiSdk((url) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: 'any' })('gemini-2.5-flash')),
    ['content_policy'],
  ),
];

/** @param answered errors that this client makes an answer of. */
function origin(name: string, from: string, make: MakeClient, answered: readonly ErrorName[] = []): Origin {
  return { name, from, record: () => recordClient(make, answered) };
}

async function recordClient(make: MakeClient, answered: readonly ErrorName[]): Promise<readonly Recorded[]> {
  await using provider = await createFaultyProvider();
  const client = make(provider.url);
  const after = (behaviour: Behaviour, call: () => Promise<unknown>) => (): Promise<unknown> => {
    provider.next(behaviour);
    return call();
  };
  const whole = (name: string, behaviour: Behaviour) =>
    caught(
      name,
      after(behaviour, () => client.complete()),
    );
  const streamed = (name: string, behaviour: Behaviour) =>
    caught(
      name,
      after(behaviour, () => client.stream()),
    );
  const recorded: Recorded[] = [];
  for (const error of errorNames) {
    if (!answered.includes(error)) recorded.push(await whole(error, { error, headers: {} }));
  }
  recorded.push(
    await whole('rate_limit with a wait', { error: 'rate_limit', retryAfterMs: 7_000 }),
    await whole('server_error that says not to retry', { error: 'server_error', shouldRetry: false }),
    await streamed('error event before the first content', { errorEventAt: { contents: 0 } }),
    await streamed('error event after content', { errorEventAt: { contents: 2 } }),
    await streamed('server error event after content', { errorEventAt: { contents: 2 }, error: 'server_error' }),
    await streamed('stream cut', { cutAfter: { contents: 2 } }),
    await whole('connection closed before the answer', { hangUp: true }),
    await caught('aborted by the caller', () => {
      provider.next({ latencyMs: Number.POSITIVE_INFINITY });
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      return client.complete(controller.signal);
    }),
    await caught('connection refused', async () => make(await closedUrl()).complete()),
  );
  if (make.length > 1) {
    recorded.push(
      await caught('timeout of the client', () => {
        provider.next({ latencyMs: Number.POSITIVE_INFINITY });
        return make(provider.url, 30).complete();
      }),
    );
  }
  return recorded;
}

/** Of a server that is gone. */
async function closedUrl(): Promise<string> {
  const provider = await createFaultyProvider();
  await provider.close();
  return provider.url;
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  const chunks = stream[Symbol.asyncIterator]();
  while (!(await chunks.next()).done);
}
