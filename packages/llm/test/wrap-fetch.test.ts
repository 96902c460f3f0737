import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { endOpen, openOperations, type PricePort } from '@sage-adk/core';
import { type OperationRecorder, recordOperations } from '@sage-adk/core/testing';
import { type Fetch, wrapFetch } from '../src/index.ts';
import { anthropicMessage, geminiContent, openaiChat, openaiEmbeddings, openaiResponses } from './support/answers.ts';
import { type ProviderServer, sendJson, serveProvider } from './support/provider-server.ts';

const chat = '/v1/chat/completions';
const ask = (model = 'gpt-4.1', more = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...more }),
});

let recorder: OperationRecorder;
beforeEach(() => {
  recorder = recordOperations();
});
afterEach(() => {
  endOpen();
  recorder[Symbol.dispose]();
});

const calls = () => recorder.named('llm.call');

describe('a call that is answered with JSON', () => {
  const answers = [
    [
      'OpenAI chat completions',
      chat,
      ask(),
      openaiChat,
      { provider: 'openai', model: 'gpt-4.1', api: 'chat' },
      {
        responseModel: 'gpt-4.1-2025-04-14',
        finishReason: 'stop',
        inputTokens: 1_117,
        outputTokens: 46,
        cachedInputTokens: 1_024,
        reasoningTokens: 12,
      },
    ],
    [
      'OpenAI responses',
      '/v1/responses',
      ask('gpt-5-mini'),
      openaiResponses,
      { provider: 'openai', model: 'gpt-5-mini', api: 'responses' },
      {
        responseModel: 'gpt-5-mini-2025-08-07',
        finishReason: 'completed',
        inputTokens: 328,
        outputTokens: 87,
        cachedInputTokens: 128,
        reasoningTokens: 64,
      },
    ],
    [
      'OpenAI embeddings',
      '/v1/embeddings',
      ask('text-embedding-3-small'),
      openaiEmbeddings,
      { provider: 'openai', model: 'text-embedding-3-small', api: 'embeddings' },
      { responseModel: 'text-embedding-3-small', inputTokens: 8, outputTokens: 0 },
    ],
    [
      'Anthropic messages',
      '/v1/messages',
      ask('claude-sonnet-4-5'),
      anthropicMessage,
      { provider: 'anthropic', model: 'claude-sonnet-4-5', api: 'messages' },
      {
        responseModel: 'claude-sonnet-4-5-20250929',
        finishReason: 'end_turn',
        inputTokens: 1_295,
        outputTokens: 393,
        cachedInputTokens: 1_086,
        cacheWriteTokens: 188,
      },
    ],
    [
      'Gemini generateContent',
      '/v1beta/models/gemini-2.5-flash:generateContent?key=k',
      ask('ignored'),
      geminiContent,
      { provider: 'gemini', model: 'gemini-2.5-flash', api: 'generateContent' },
      {
        responseModel: 'gemini-2.5-flash',
        finishReason: 'MAX_TOKENS',
        inputTokens: 304,
        outputTokens: 931,
        cachedInputTokens: 200,
        reasoningTokens: 900,
      },
    ],
  ] as const;
  test.each(answers)(
    'OM6, OM7: of %s is one operation that learns tokens, model and finish reason',
    async (_name, path, init, answer, start, learned) => {
      await using provider = await serveProvider((_request, response) => sendJson(response, answer));
      const response = await wrapFetch(fetch)(provider.url(path), init);
      expect(calls()).toEqual([]);
      expect(await response.json()).toEqual(answer);
      expect(calls()).toMatchObject([{ start: { ...start, stream: false }, attributes: learned, outcome: 'ok' }]);
    },
  );

  test('OM8: lasts until its body was read', async () => {
    await using provider = await serveProvider((_request, response) => {
      setTimeout(() => sendJson(response, openaiChat), 15);
    });
    await (await wrapFetch(fetch)(provider.url(chat), ask())).text();
    expect(calls()[0]?.durationMs).toBeGreaterThanOrEqual(14);
  });

  test('reaches the provider as it was sent, as URL, Request or text', async () => {
    const seen: unknown[] = [];
    await using provider = await serveProvider(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      seen.push([request.method, request.headers.authorization, body]);
      sendJson(response, openaiChat);
    });
    const wrapped = wrapFetch(fetch);
    const init = { ...ask(), headers: { authorization: 'Bearer sk-1' } };
    for (const input of [provider.url(chat), new URL(provider.url(chat))]) await (await wrapped(input, init)).text();
    await (await wrapped(new Request(provider.url(chat), init))).text();
    expect(seen).toEqual(Array.from({ length: 3 }, () => ['POST', 'Bearer sk-1', init.body]));
    expect(calls().map(({ start }) => start.model)).toEqual(['gpt-4.1', 'gpt-4.1', 'gpt-4.1']);
  });

  test('is known by the name it is given, for who speaks another API', async () => {
    await using provider = await serveProvider((_request, response) => sendJson(response, openaiChat));
    await (await wrapFetch(fetch, { provider: 'mistral' })(provider.url(chat), ask())).text();
    expect(calls()[0]?.start.provider).toBe('mistral');
  });

  test('nests what the provider call does under it', async () => {
    const inner: Fetch = async () => {
      expect(recorder.started.map(({ name }) => name)).toEqual(['llm.call']);
      return Response.json(openaiChat);
    };
    await (await wrapFetch(inner)(`https://api.test${chat}`, ask())).text();
    expect(calls()).toHaveLength(1);
  });
});

describe('OM10: the cost of a call', () => {
  const read = async (price: PricePort, answer: unknown = openaiChat): Promise<bigint | undefined> => {
    const wrapped = wrapFetch(async () => Response.json(answer), { price });
    await (await wrapped(`https://api.test${chat}`, ask())).text();
    return calls().at(-1)?.attributes.costNanoUsd;
  };

  test('is what the price book says of the model that answered', async () => {
    const asked: unknown[] = [];
    const price: PricePort = {
      costNanoUsd(call) {
        asked.push(call);
        return 2_234_000n;
      },
    };
    expect(await read(price)).toBe(2_234_000n);
    const usage = { inputTokens: 1_117, outputTokens: 46, cachedInputTokens: 1_024, reasoningTokens: 12 };
    expect(asked).toEqual([{ provider: 'openai', model: 'gpt-4.1-2025-04-14', usage }]);
  });

  test('is that of the model that was asked for, where the book knows only that', async () => {
    expect(await read({ costNanoUsd: ({ model }) => (model === 'gpt-4.1' ? 5n : undefined) })).toBe(5n);
  });

  test('is left out, not 0, where the price is unknown, the book fails or no usage came', async () => {
    const broken: PricePort = {
      costNanoUsd() {
        throw new Error('no book');
      },
    };
    expect(await read({ costNanoUsd: () => undefined })).toBeUndefined();
    expect(await read(broken)).toBeUndefined();
    expect(await read({ costNanoUsd: () => 1n }, { id: 'no usage' })).toBeUndefined();
    expect(calls().map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  });
});

describe('OM9: a call that fails', () => {
  test.each([
    [429, 'SAGE_LLM_RATE_LIMITED', 'transient', 2_000],
    [500, 'SAGE_LLM_UNAVAILABLE', 'transient', 2_000],
    [529, 'SAGE_LLM_UNAVAILABLE', 'transient', 2_000],
    [400, 'SAGE_LLM_REFUSED', 'permanent', 2_000],
    [401, 'SAGE_LLM_REFUSED', 'permanent', 2_000],
  ])('with %p is an error of the provider, and the response passes as it is', async (status, code, category, wait) => {
    const answer = { error: { message: 'no', type: 'some_error' }, usage: { prompt_tokens: 1 } };
    await using provider = await serveProvider((_request, response) =>
      sendJson(response, answer, status, { 'retry-after': '2' }),
    );
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, '2']);
    expect(await response.json()).toEqual(answer);
    expect(calls()).toMatchObject([
      { outcome: 'error', code, category, attributes: {}, error: { retryAfterMs: wait } },
    ]);
    expect(calls()[0]?.start.provider).toBe('openai');
  });

  test('stays an error where its body is dropped, as SDKs do before they try again', async () => {
    await using provider = await serveProvider((_request, response) => sendJson(response, {}, 503));
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    await response.body?.cancel();
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE' }]);
  });

  test('for want of a connection throws what fetch throws', async () => {
    const provider = await serveProvider(() => {});
    const url = provider.url(chat);
    await provider[Symbol.asyncDispose]();
    const bare = await fetch(url, ask()).catch((error: unknown) => error);
    const error = await wrapFetch(fetch)(url, ask()).catch((reason: unknown) => reason);
    expect(error).toEqual(bare);
    expect(calls()).toMatchObject([
      { outcome: 'error', code: 'SAGE_LLM_UNREACHABLE', category: 'transient', error: { cause: error } },
    ]);
  });

  test('as the connection breaks in the middle of the body gives the consumer that error', async () => {
    await using provider = await serveProvider((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"usage":{"prompt_tokens":1', () => response.destroy());
    });
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    await expect(response.text()).rejects.toThrow('terminated');
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNREACHABLE', attributes: {} }]);
  });

  test('in an unknown way is recorded as it is', async () => {
    const odd = new TypeError('odd');
    await expect(wrapFetch(() => Promise.reject(odd))(`https://api.test${chat}`, ask())).rejects.toBe(odd);
    expect(calls()).toMatchObject([{ outcome: 'error', category: 'unknown', code: undefined, error: odd }]);
  });
});

describe('a call that is given up', () => {
  /** A provider that begins to answer and never ends; tells when its connection closes. */
  async function stalling(): Promise<{ provider: ProviderServer; closed: Promise<unknown> }> {
    let close: (value: unknown) => void = () => {};
    const closed = new Promise((resolve) => {
      close = resolve;
    });
    const provider = await serveProvider((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"model":"gpt-4.1",');
      void once(response, 'close').then(close);
    });
    return { provider, closed };
  }

  test('by an abort in the middle of the body is cancelled, at both ends', async () => {
    const { provider, closed } = await stalling();
    await using _ended = provider;
    const controller = new AbortController();
    const response = await wrapFetch(fetch)(provider.url(chat), { ...ask(), signal: controller.signal });
    const reading = response.text();
    controller.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await closed;
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test('for a reason of the caller is cancelled, by a timeout is a timeout', async () => {
    const { provider } = await stalling();
    await using _ended = provider;
    for (const reason of [new Error('enough'), new DOMException('late', 'TimeoutError')]) {
      const controller = new AbortController();
      const response = await wrapFetch(fetch)(provider.url(chat), { ...ask(), signal: controller.signal });
      const reading = response.text();
      controller.abort(reason);
      await expect(reading).rejects.toBe(reason);
    }
    expect(calls().map(({ outcome }) => outcome)).toEqual(['cancelled', 'timeout']);
  });

  test('before an answer came is cancelled', async () => {
    await using provider = await serveProvider(() => {});
    const signal = AbortSignal.abort();
    await expect(wrapFetch(fetch)(provider.url(chat), { ...ask(), signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test('by dropping the body closes the connection', async () => {
    const { provider, closed } = await stalling();
    await using _ended = provider;
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await closed;
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test('without a word stays open until the drain, and holds nothing back', async () => {
    const wrapped = wrapFetch(async () => Response.json(openaiChat));
    const before = openOperations();
    await wrapped(`https://api.test${chat}`, ask());
    expect([calls().length, openOperations() - before]).toEqual([0, 1]);
    endOpen();
    expect(calls()).toMatchObject([{ outcome: 'cancelled', attributes: {} }]);
  });
});

describe('what is not read', () => {
  test.each([
    ['text/plain', 'usage: many'],
    ['application/json', 'Bad gateway'],
    ['application/json', '{"usage":'],
    ['application/json', '[{"usageMetadata":{"promptTokenCount":1}}]'],
    ['application/json', ''],
  ])('%s %p passes as it is', async (type, body) => {
    await using provider = await serveProvider((_request, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    expect(await response.text()).toBe(body);
    expect(calls()).toMatchObject([{ attributes: {}, outcome: 'ok' }]);
  });

  test('a compressed answer is read as fetch gives it', async () => {
    const { gzipSync } = await import('node:zlib');
    await using provider = await serveProvider((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(openaiChat)));
    });
    const response = await wrapFetch(fetch)(provider.url(chat), ask());
    expect(await response.json()).toEqual(openaiChat);
    expect(calls()[0]?.attributes.inputTokens).toBe(1_117);
  });

  test('an answer without a body ends the operation', async () => {
    await wrapFetch(async () => new Response(null, { status: 204 }))(`https://api.test${chat}`, ask());
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
  });

  test.each<[string, string, RequestInit | undefined]>([
    ['another path', '/v1/models', { method: 'POST' }],
    ['another method', chat, { method: 'GET' }],
    ['no method', chat, undefined],
  ])('a request of %s is the very call of fetch', (_name, path, init) => {
    const answer = Promise.resolve(new Response());
    const seen: unknown[] = [];
    const inner: Fetch = (...args) => {
      seen.push(...args);
      return answer;
    };
    expect(wrapFetch(inner)(`https://api.test${path}`, init)).toBe(answer);
    expect(seen).toEqual([`https://api.test${path}`, init]);
    expect(recorder.started).toEqual([]);
  });

  test('a request that fetch refuses is refused by fetch', async () => {
    await expect(wrapFetch(fetch)('not a url', ask())).rejects.toThrow('parse URL');
    expect(recorder.started).toEqual([]);
  });

  test('a body that is no text names no model', async () => {
    const wrapped = wrapFetch(async () => Response.json(openaiChat));
    const bodies = [
      new Uint8Array(Buffer.from('{"model":"bytes"}')),
      new Blob(['{"model":"blob"}']),
      'not json',
      'null',
    ];
    for (const body of bodies) await (await wrapped(`https://api.test${chat}`, { method: 'POST', body })).text();
    expect(calls().map(({ start }) => start.model)).toEqual(['bytes', 'unknown', 'unknown', 'unknown']);
  });
});
