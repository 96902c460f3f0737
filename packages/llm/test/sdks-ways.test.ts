/** The ways in which the SDKs hand out an answer, and those in which a consumer leaves it. Each is one call, settled once with what the provider told. */
import { describe, expect, test } from '@jest/globals';
import Anthropic from '@anthropic-ai/sdk';
import { openOperations } from '@sage-adk/core';
import OpenAI, { AzureOpenAI } from 'openai';
import { wrapFetch } from '../src/wrap-fetch.ts';
import { createPurse, unitPrice } from './support/policies.ts';
import { soon, useRig } from './support/rig.ts';
import { geminiClient } from './testing/support/clients.ts';

const rig = useRig();
const messages = [{ role: 'user' as const, content: 'What time is it in Seoul?' }];
const chat = { model: 'gpt-4.1', messages };
const note = { model: 'claude-sonnet-5', max_tokens: 100, messages };
const question = { model: 'gemini-2.5-flash', contents: 'What time is it in Seoul?' };
const text = 'one two three';

type Way = (by: typeof fetch) => Promise<unknown>;

const openai = (by: typeof fetch) =>
  new OpenAI({ baseURL: `${rig.provider.url}/v1`, apiKey: 'any', fetch: by, maxRetries: 0, logLevel: 'off' });
const anthropic = (by: typeof fetch) =>
  new Anthropic({ baseURL: rig.provider.url, apiKey: 'any', fetch: by, maxRetries: 0, logLevel: 'off' });
const gemini = (by: typeof fetch) => geminiClient(rig.provider.url, { fetch: by });
const azure = (by: typeof fetch) =>
  new AzureOpenAI({
    endpoint: rig.provider.url,
    apiKey: 'any',
    apiVersion: '2024-10-21',
    deployment: 'ours',
    fetch: by,
    maxRetries: 0,
    logLevel: 'off',
  });

const whole: readonly (readonly [name: string, way: Way])[] = [
  ['openai: withResponse', async (by) => (await openai(by).chat.completions.create(chat).withResponse()).data],
  ['openai: asResponse', async (by) => (await openai(by).chat.completions.create(chat).asResponse()).json()],
  [
    'openai: the response of a stream',
    async (by) =>
      (
        await openai(by)
          .chat.completions.create({ ...chat, stream: true })
          .asResponse()
      ).text(),
  ],
  [
    'openai: withResponse of a stream',
    async (by) =>
      textOf(
        (
          await openai(by)
            .chat.completions.create({ ...chat, stream: true })
            .withResponse()
        ).data,
      ),
  ],
  [
    'openai: toReadableStream',
    async (by) =>
      new Response((await openai(by).chat.completions.create({ ...chat, stream: true })).toReadableStream()).text(),
  ],
  [
    'openai: tee',
    async (by) => {
      const [one, other] = (await openai(by).chat.completions.create({ ...chat, stream: true })).tee();
      return `${await textOf(one)} ${await textOf(other)}`;
    },
  ],
  ['openai: the helper for chat', (by) => openai(by).chat.completions.stream(chat).finalContent()],
  [
    'openai: the helper for responses',
    async (by) => (await openai(by).responses.stream({ model: 'gpt-4.1', input: text }).finalResponse()).output_text,
  ],
  ['openai: Azure', (by) => azure(by).chat.completions.create(chat)],
  [
    'openai: a stream of Azure',
    async (by) => textOf(await azure(by).chat.completions.create({ ...chat, stream: true })),
  ],
  ['anthropic: beta', (by) => anthropic(by).beta.messages.create({ ...note, betas: ['x-2026'] })],
  ['anthropic: the helper', (by) => anthropic(by).messages.stream(note).finalText()],
  ['anthropic: the beta helper', (by) => anthropic(by).beta.messages.stream(note).finalMessage()],
  [
    'anthropic: withResponse of the helper',
    async (by) => (await anthropic(by).messages.stream(note).withResponse()).data.finalText(),
  ],
  [
    'anthropic: toReadableStream',
    async (by) =>
      new Response((await anthropic(by).messages.create({ ...note, stream: true })).toReadableStream()).text(),
  ],
  ['gemini: a chat', (by) => gemini(by).chats.create({ model: question.model }).sendMessage({ message: text })],
  [
    'gemini: a stream within a chat',
    async (by) => textOf(await gemini(by).chats.create({ model: question.model }).sendMessageStream({ message: text })),
  ],
];

describe('OM7, RL5: an answer by way of', () => {
  test.each(whole)('%s', async (_name, way) => {
    const purse = createPurse(1_000_000_000n);
    rig.provider.next({ text, usage: { inputTokens: 12, outputTokens: 34 } });
    const answer = await way(wrapFetch(fetch, { limiter: purse, price: unitPrice }));
    expect(JSON.stringify(answer)).toMatch(/three/);
    await soon(() => purse.reserved[0]?.ends === 1);
    expect(rig.calls()).toMatchObject([
      { outcome: 'ok', attributes: { inputTokens: 12, outputTokens: 34, costNanoUsd: 352n, attempts: 1 } },
    ]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: 352n } }]);
    expect(openOperations()).toBe(0);
  });
});

const left: readonly (readonly [name: string, outcome: string, way: Way])[] = [
  [
    'openai: out of the loop, in the middle',
    'cancelled',
    async (by) => {
      for await (const { choices } of await openai(by).chat.completions.create({ ...chat, stream: true }))
        if ((choices[0]?.delta.content ?? '') !== '') break;
    },
  ],
  [
    'openai: out of the loop, at the reason to finish',
    'ok',
    async (by) => {
      for await (const { choices } of await openai(by).chat.completions.create({ ...chat, stream: true }))
        if (choices[0]?.finish_reason === 'stop') break;
    },
  ],
  [
    'openai: by its controller and by a signal at once',
    'cancelled',
    async (by) => {
      const controller = new AbortController();
      const { signal } = controller;
      const stream = await openai(by).chat.completions.create({ ...chat, stream: true }, { signal });
      for await (const { choices } of stream) {
        if ((choices[0]?.delta.content ?? '') === '') continue;
        stream.controller.abort();
        controller.abort();
      }
    },
  ],
  [
    'anthropic: by its helper',
    'cancelled',
    async (by) => {
      const stream = anthropic(by).messages.stream(note);
      stream.on('text', () => stream.abort());
      await stream.done().catch(() => {});
    },
  ],
  [
    'gemini: by a signal',
    'cancelled',
    async (by) => {
      const controller = new AbortController();
      const config = { abortSignal: controller.signal };
      const stream = await gemini(by).models.generateContentStream({ ...question, config });
      const reading = textOf(stream);
      controller.abort();
      await reading.catch(() => {});
    },
  ],
  [
    'gemini: out of the loop, which its SDK tells nobody, so that the collector finds it',
    'cancelled',
    async (by) => {
      for await (const _chunk of await gemini(by).models.generateContentStream(question)) break;
    },
  ],
];

describe('RL5: a stream that is left', () => {
  test.each(left)('%s: %s', async (_name, outcome, way) => {
    const purse = createPurse(1_000_000_000n);
    // What comes in one piece with the reason to finish is over by then.
    rig.provider.next(outcome === 'ok' ? { text, neverEnd: true } : { text, stallAfter: { contents: 2 } });
    await way(wrapFetch(fetch, { limiter: purse, price: unitPrice }));
    for (let turn = 0; turn < 500 && purse.reserved[0]?.ends !== 1; turn++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(rig.calls()).toMatchObject([{ outcome, attributes: { inputTokens: expect.any(Number), attempts: 1 } }]);
    expect(purse.reserved).toMatchObject([{ ends: 1, end: { costNanoUsd: rig.calls()[0]?.attributes.costNanoUsd } }]);
    expect(openOperations()).toBe(0);
    await rig.provider.idle();
  });
});

/** All of it that can be read. */
async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += JSON.stringify(chunk);
  return all;
}
