import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LlmEvent, LlmMessage, LlmProvider, LlmRequest } from '@sage-adk/core';
import { llmProviderCases } from '@sage-adk/core/testing';
import { createAiSdkProvider } from '../../src/ai-sdk/index.ts';
import { wrapFetch } from '../../src/index.ts';
import { type Behaviour, createFaultyProvider, type FaultyProvider } from '../../src/testing/index.ts';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const own = wrapFetch(fetch);
const models: Readonly<Record<string, (url: string) => Parameters<typeof createAiSdkProvider>[0]['modelOf']>> = {
  'openai responses': (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any', fetch: own }),
  'openai chat': (url) => (name) => createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any', fetch: own }).chat(name),
  anthropic: (url) => createAnthropic({ baseURL: `${url}/v1`, apiKey: 'any', fetch: own }),
  google: (url) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: 'any', fetch: own }),
  'openai compatible': (url) =>
    createOpenAICompatible({ name: 'here', baseURL: `${url}/v1`, apiKey: 'any', fetch: own, includeUsage: true }),
};

let server: FaultyProvider;
beforeEach(async () => {
  server = await createFaultyProvider({
    text: 'It is noon in Seoul.',
    respond: ({ body }) =>
      JSON.stringify(body).includes('slowly') ? { stallAfter: { contents: 1 }, neverEnd: true } : undefined,
  });
});
afterEach(() => server.close());

const model = 'gpt-4.1';
const asks = (content: string): LlmRequest => ({ model, messages: [{ role: 'user', content }], maxOutputTokens: 100 });

async function gather(events: AsyncIterable<LlmEvent>): Promise<readonly LlmEvent[]> {
  const gathered: LlmEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

describe.each(Object.entries(models))('%s as a provider', (sdk, modelOf) => {
  let provider: LlmProvider;
  beforeEach(() => {
    provider = createAiSdkProvider({ name: 'here', modelOf: modelOf(server.url) });
  });

  test.each(llmProviderCases.map(({ name, run }) => [name, run] as const))('%s', (_name, run) =>
    run(async () => ({ provider, request: asks('What time is it?'), slowRequest: asks('Tell me slowly.') })),
  );

  test('a tool is called, and answers in the next turn', async () => {
    const clock = { name: 'clock', description: 'Tells the time.', parameters: { type: 'object', properties: {} } };
    const request = { ...asks('What time is it?'), tools: [clock] };
    server.always({ toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }] });
    const events = await gather(provider.stream(request));
    const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
    expect(calls).toEqual([{ id: expect.any(String), name: 'clock', arguments: '{"city":"Seoul"}' }]);
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'tool-calls' });
    expect((await provider.complete(request)).toolCalls?.map(({ name }) => name)).toEqual(['clock']);
    const turns: readonly LlmMessage[] = [
      { role: 'system', content: 'Be brief.' },
      ...request.messages,
      { role: 'assistant', content: '', toolCalls: calls },
      { role: 'tool', content: '12:00', toolCallId: calls[0]?.id ?? '' },
    ];
    const answer = await provider.complete({ ...request, messages: turns });
    expect(answer).toMatchObject({ text: 'It is noon in Seoul.', reason: 'stop' });
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('12:00');
  });

  test.each([
    [
      { error: 'rate_limit', retryAfterMs: 2_000 },
      { code: 'SAGE_LLM_RATE_LIMITED', category: 'transient' },
    ],
    [{ status: 503 }, { code: 'SAGE_LLM_UNAVAILABLE', category: 'transient' }],
    [{ error: 'authentication' }, { code: 'SAGE_LLM_REFUSED', category: 'permanent' }],
    [{ hangUp: true }, { code: 'SAGE_LLM_UNREACHABLE', category: 'transient' }],
    [{ endAfter: { contents: 2 } }, { code: 'SAGE_LLM_INCOMPLETE', category: 'transient' }],
    [{ cutAfter: { contents: 2 } }, { code: 'SAGE_LLM_UNREACHABLE', category: 'transient' }],
    [{ errorEventAt: { contents: 2 } }, { code: 'SAGE_LLM_UNAVAILABLE', category: 'transient' }],
  ] as const)('ER17: %j of a stream is %j', async (behaviour, expected) => {
    server.next(behaviour);
    const error: unknown = await gather(provider.stream(asks('What time is it?'))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(expected);
  });

  test('usage that nobody told is estimated, never 0', async () => {
    server.always({ omitUsage: true });
    const asked = provider.complete(asks('What time is it?'));
    // That SDK takes no answer without it.
    if (sdk === 'anthropic') return expect(asked).rejects.toMatchObject({ code: 'SAGE_LLM_MALFORMED' });
    const { usage } = await asked;
    expect(usage.inputTokens).toBeGreaterThan(0);
    return expect(usage.outputTokens).toBeGreaterThan(0);
  });
});

test.each<[string, Behaviour]>([
  ['has no body', { emptyBody: true }],
  ['ends before anything was said', { endAfter: 1 }],
])('a stream of Claude that %s is no answer', async (_how, behaviour) => {
  const provider = createAiSdkProvider({
    name: 'here',
    modelOf: createAnthropic({ baseURL: `${server.url}/v1`, apiKey: 'any' }),
  });
  server.next(behaviour);
  await expect(gather(provider.stream(asks('What time is it?')))).rejects.toMatchObject({
    code: 'SAGE_LLM_INCOMPLETE',
  });
});
