/** What a failure says reaches whoever asks: the policies, the record of the call, and the client. */
import { createOpenAI } from '@ai-sdk/openai';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { describe, expect, test } from '@jest/globals';
import { generateText } from 'ai';
import OpenAI from 'openai';
import { createAiSdkMiddleware } from '../src/ai-sdk/index.ts';
import { wrapFetch } from '../src/index.ts';
import type { Behaviour } from '../src/testing/index.ts';
import { createFuse, createPurse, createRetries, unitPrice } from './support/policies.ts';
import { soon, useRig } from './support/rig.ts';
import { chat, gemini, wires } from './support/wires.ts';
import { aiClientsOf } from './testing/support/clients.ts';

const rig = useRig();
const { send, calls } = rig;

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

test.each([true, false])('what Google says beside the message reaches a retry policy (stream: %p)', async (stream) => {
  const retry = createRetries(1);
  rig.provider.next({ error: 'rate_limit', retryAfterMs: 3_000 });
  await (await send(gemini, { retry }, { stream })).text();
  const details = expect.arrayContaining([expect.objectContaining({ retryDelay: '3s' })]);
  expect(retry.seen).toMatchObject([{ status: 429, error: { status: 'RESOURCE_EXHAUSTED', details } }]);
});

describe('the record of a call', () => {
  // Anthropic says it with a status that means anything.
  test.each(wires.filter(({ provider }) => provider !== 'anthropic').map((wire) => [wire.name, wire] as const))(
    'that is refused since the credit is used up says so: %s',
    async (name, wire) => {
      rig.provider.next({ error: 'quota' });
      const text = await (await send(wire, {}, { stream: false })).text();
      await soon(() => calls().length === 1);
      expect([name, calls()[0]?.code]).toEqual([name, 'SAGE_LLM_QUOTA']);
      expect(text).toMatch(/insufficient_quota|PerDay/);
    },
  );

  test('of Google has the time that it asks to wait', async () => {
    rig.provider.next({ error: 'rate_limit', retryAfterMs: 3_000 });
    const retry = createRetries(1);
    await (await send(gemini, { retry }, { stream: false })).text();
    expect(rig.recorder.named('llm.call')[0]?.error).toMatchObject({
      code: 'SAGE_LLM_RATE_LIMITED',
      retryAfterMs: 3_000,
    });
  });

  test.each([true, false])('of Google that blocked the prompt says why (stream: %p)', async (stream) => {
    rig.provider.next({ error: 'content_policy' });
    await (await send(gemini, {}, { stream })).text();
    expect(calls()[0]?.attributes).toMatchObject({ finishReason: 'PROHIBITED_CONTENT' });
  });
});

const names = aiClientsOf('http://nowhere.test').map(({ name }) => name);
const inStreams: readonly (readonly [string, Behaviour, string, unknown])[] = [
  ['an overload', { error: 'overloaded' }, 'SAGE_LLM_UNAVAILABLE', expect.any(Error)],
  ['a limit', { error: 'rate_limit' }, 'SAGE_LLM_RATE_LIMITED', 'release'],
  ['a bad request', { error: 'invalid_request' }, 'SAGE_LLM_REFUSED', 'release'],
];

describe.each(names)('an error in the middle of a stream under the middleware of %s', (name) => {
  test.each(inStreams)('is what it is: %s', async (_what, behaviour, code, word) => {
    const breaker = createFuse();
    const ai = createAiSdkMiddleware({ breaker });
    rig.provider.next({ errorEventAt: { contents: 2 }, ...behaviour });
    const client = aiClientsOf(rig.provider.url, 0, { ai }).find((one) => one.name === name);
    await client?.stream().catch(() => {});
    await soon(() => calls().length === 1);
    expect(calls()).toMatchObject([{ outcome: 'error', code }]);
    expect(breaker.words.slice(1)).toEqual([word]);
  });

  test('is what it is: an event that cannot be read', async () => {
    rig.provider.next({ malformedAt: { contents: 2 } });
    const client = aiClientsOf(rig.provider.url, 0, { ai: createAiSdkMiddleware() }).find((one) => one.name === name);
    await client?.stream().catch(() => {});
    await soon(() => calls().length === 1);
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_MALFORMED' }]);
  });
});

describe('a denial tells its reason to', () => {
  const denying = (): typeof fetch => wrapFetch(fetch, { limiter: createPurse(1n), price: unitPrice });
  const reason = 'The call is larger than rule "purse" ever admits';

  test.each([
    ['OpenAI', (own: typeof fetch) => createOpenAI({ apiKey: 'any', fetch: own })('gpt-4.1')],
    ['Anthropic', (own: typeof fetch) => createAnthropic({ apiKey: 'any', fetch: own })('claude-sonnet-4-5')],
    ['Google', (own: typeof fetch) => createGoogleGenerativeAI({ apiKey: 'any', fetch: own })('gemini-2.5-flash')],
  ])('the AI SDK of %s', async (_name, modelBy) => {
    const asking = generateText({ model: modelBy(denying()), prompt: 'x', maxRetries: 0 });
    await expect(asking).rejects.toMatchObject({ statusCode: 422, message: expect.stringContaining(reason) });
  });

  test('whoever reads the body, whatever the words are in', async () => {
    const answer = await send(chat, { limiter: createPurse(1n), price: unitPrice }, { more: { model: '모델' } });
    expect(answer.statusText).toContain(reason);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining(reason) });
    const openai = new OpenAI({ apiKey: 'any', fetch: denying(), maxRetries: 0 });
    await expect(openai.chat.completions.create({ model: 'm', messages: [] })).rejects.toMatchObject({ status: 422 });
  });
});
