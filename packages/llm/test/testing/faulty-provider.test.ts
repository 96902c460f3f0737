import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Behaviour,
  createFaultyProvider,
  type FaultyProviderOptions,
  type Rule,
  storm,
} from '../../src/testing/index.ts';
import OpenAI from 'openai';
import { start } from './support/start.ts';

const provider = await createFaultyProvider({ keepRequests: 3 });
const client = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'any', maxRetries: 0, logLevel: 'off' });
const say = (content = 'hi', model = 'm') =>
  client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
const statusOf = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => 200,
    (error: { status?: number }) => error.status,
  );
beforeEach(() => provider.reset());
afterAll(() => provider.close());

describe('who decides', () => {
  test('each of the next requests takes one queued behaviour, in order', async () => {
    provider.next({ status: 429 }, { status: 503 });
    provider.next({ text: 'third' });
    expect(await statusOf(say())).toBe(429);
    expect(await statusOf(say())).toBe(503);
    expect((await say()).choices[0]?.message.content).toBe('third');
    expect((await say()).choices[0]?.message.content).toContain('on purpose');
  });

  test('what is said for always is laid over the options, until the reset', async () => {
    const other = await start({ text: 'own', omitUsage: true });
    const ask = async () => (await fetch(`${other.url}/v1/messages`, { method: 'POST', body: '{}' })).text();
    other.always({ text: 'now' });
    expect(await ask()).toMatch(/"text":"now"(?!.*usage)/);
    other.always({ omitUsage: undefined });
    expect(await ask()).toMatch(/"text":"now".*usage/);
    other.reset();
    expect(await ask()).toMatch(/"text":"own"(?!.*usage)/);
  });

  test('a rule sees the request, and is laid over the weather and under the queue', async () => {
    const rule: Rule = ({ model, body, attempt }) =>
      model === 'bad' ? { status: 404 } : { text: `${attempt} ${JSON.stringify(body).length}` };
    const other = await start({
      respond: rule,
      weather: [{ chance: 1, behaviour: { text: 'struck', usage: { outputTokens: 99 } } }],
    });
    const openai = new OpenAI({ baseURL: other.url, apiKey: 'any', maxRetries: 0 });
    const ask = (model: string) => openai.chat.completions.create({ model, messages: [] });
    expect(await ask('good')).toMatchObject({
      choices: [{ message: { content: '1 30' } }],
      usage: { completion_tokens: 99 },
    });
    expect(await statusOf(ask('bad'))).toBe(404);
    other.next({ text: 'queued', status: undefined });
    expect(await ask('bad')).toMatchObject({ choices: [{ message: { content: 'queued' } }] });
  });

  test('a rule may take its time', async () => {
    const gate = Promise.withResolvers<Behaviour>();
    const other = await start({ respond: () => gate.promise });
    const asking = fetch(`${other.url}/v1/models`);
    while (other.counters.open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    gate.resolve({ status: 500 });
    expect((await asking).status).toBe(500);
  });

  test.each<[string, Rule, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no such thing');
      },
      /no such thing/,
    ],
    ['wants what cannot be', () => ({ status: 42 }), /status is 42/],
  ])('a rule that %s is told to the client, which does not try again', async (_name, respond, message) => {
    const other = await start({ respond });
    const openai = new OpenAI({ baseURL: other.url, apiKey: 'any', logLevel: 'off' });
    await expect(openai.models.list()).rejects.toThrow(message);
    expect(other.counters).toMatchObject({ requests: 1, refused: 1 });
  });
});

describe('what it notes', () => {
  test('a request with all that came and what became of it', async () => {
    provider.next({ usage: { inputTokens: 7, outputTokens: 3 } });
    await client.chat.completions
      .create({ model: 'gpt', messages: [], stream: true }, { query: { a: '1' } })
      .then(async (stream) => {
        for await (const _ of stream);
      });
    expect(provider.requests[0]).toMatchObject({
      serial: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer any' },
      body: { model: 'gpt', stream: true },
      provider: 'openai',
      api: 'chat',
      model: 'gpt',
      streamed: true,
      attempt: 1,
      behaviour: { usage: { inputTokens: 7 } },
      status: 200,
      contents: 11,
      billed: { inputTokens: 7, outputTokens: 3 },
      outcome: 'answered',
    });
    expect(provider.requests[0]?.query.get('a')).toBe('1');
  });

  test('the latest requests only, and the sums of all', async () => {
    for (let count = 0; count < 5; count++) await say('one two', `m${count}`);
    expect(provider.requests.map(({ serial, model }) => [serial, model])).toEqual([
      [3, 'm2'],
      [4, 'm3'],
      [5, 'm4'],
    ]);
    expect(provider.counters).toMatchObject({ requests: 5, answered: 5, inputTokens: 10, outputTokens: 55 });
  });

  test('a stream that is left counts as aborted, and what was sent of it is billed', async () => {
    provider.next({ text: 'one two three', tokenDelayMs: 5, usage: { inputTokens: 100 } });
    const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    await provider.idle();
    const [request] = provider.requests;
    expect(request).toMatchObject({
      outcome: 'aborted',
      billed: { inputTokens: 100, outputTokens: request?.contents },
    });
    expect(request?.contents).toBeLessThan(3);
  });

  test('every outcome is counted, and they add up', async () => {
    provider.next({ status: 500 }, { hangUp: true }, { endAfter: 0 }, {});
    for (let count = 0; count < 4; count++) await statusOf(say());
    const { requests, open, answered, refused, cut, aborted } = provider.counters;
    expect({ requests, open, answered, refused, cut, aborted }).toEqual({
      requests: 4,
      open: 0,
      answered: 1,
      refused: 1,
      cut: 2,
      aborted: 0,
    });
  });
});

describe('what it does not know', () => {
  test.each([
    ['POST', '/v1/unknown'],
    ['GET', '/v1/chat/completions'],
    ['GET', '/'],
    ['POST', '/v1beta/models/m:countTokens'],
  ])('%s %s is not found', async (method, path) => {
    const response = await fetch(`${provider.url}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { message: `Invalid URL (${method} ${path})` } });
    expect(provider.requests[0]).toMatchObject({ provider: undefined, outcome: 'refused' });
  });

  test('a path may have anything before the part that tells the API', async () => {
    for (const path of [
      '/chat/completions',
      '/openai/deployments/x/chat/completions',
      '/v1/messages',
      '/any/messages',
    ]) {
      expect((await fetch(`${provider.url}${path}`, { method: 'POST', body: '{}' })).status).toBe(200);
    }
  });

  test('a body that is no JSON is refused, one that is no object is taken for none', async () => {
    const ask = (body: string) => fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body });
    expect((await ask('{')).status).toBe(400);
    for (const body of ['[1]', '"text"', 'null', '', '{"messages":3}', '{"messages":[null]}'])
      expect((await ask(body)).status).toBe(200);
  });

  test('a body of more than 32 MiB is too large', async () => {
    const response = await fetch(`${provider.url}/v1/messages`, {
      method: 'POST',
      body: new Uint8Array(33 * 1_024 * 1_024),
    });
    expect(response.status).toBe(413);
    expect(provider.requests[0]?.body).toBeUndefined();
  });

  test('a client that leaves while it asks is no request', async () => {
    const giveUp = new AbortController();
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(10)) });
    const asking = fetch(`${provider.url}/v1/messages`, {
      method: 'POST',
      body,
      signal: giveUp.signal,
      duplex: 'half',
    } as RequestInit);
    setTimeout(() => giveUp.abort(), 10);
    await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
    expect((await fetch(`${provider.url}/v1/models`)).status).toBe(200);
    expect(provider.counters.requests).toBe(1);
  });
});

describe('its life', () => {
  test('a reset cuts what is open, and the numbers begin again', async () => {
    provider.next({ stallAfter: 1 }, { status: 500 });
    const { body } = await client.chat.completions.create({ model: 'm', messages: [], stream: true }).asResponse();
    provider.reset();
    await expect(new Response(body).text()).rejects.toThrow('terminated');
    expect(provider.counters).toMatchObject({ requests: 0, open: 0, cut: 0 });
    expect((await say()).id).toBe('chatcmpl-000001');
  });

  test('after closing nobody answers, and closing again does nothing', async () => {
    const other = await createFaultyProvider({ host: '::1' }).catch(() => createFaultyProvider());
    const { url } = other;
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    await other[Symbol.asyncDispose]();
    await other.close();
    await expect(fetch(`${url}/v1/models`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    expect(other.url).toBe(url);
  });

  test('a port that is taken rejects', async () => {
    const port = Number(new URL(provider.url).port);
    await expect(createFaultyProvider({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test.each<[string, FaultyProviderOptions]>([
    ['port', { port: 70_000 }],
    ['keepRequests', { keepRequests: -1 }],
    ['seed', { seed: 0.5 }],
    ['status', { status: 200 }],
    ['error', { error: 'nonsense' as 'quota' }],
    ['latencyMs', { latencyMs: -1 }],
    ['tokenDelayMs', { tokenDelayMs: Number.NaN }],
    ['keepAliveMs', { keepAliveMs: 0 }],
    ['retryAfterMs', { retryAfterMs: -1 }],
    ['chunkBytes', { chunkBytes: 0 }],
    ['cutAfter', { cutAfter: -1 }],
    ['stallAfter.contents', { stallAfter: { contents: 0.5 } }],
    ['endAfter.bytes', { endAfter: { bytes: -1 } }],
    ['usage.inputTokens', { usage: { inputTokens: 1, cachedInputTokens: 2 } }],
    ['usage.outputTokens', { usage: { outputTokens: 1, reasoningTokens: 2 } }],
    ['usage.cacheWriteTokens', { usage: { cacheWriteTokens: 1, longCacheWriteTokens: 2 } }],
    ['headers.x', { headers: { x: 'a\nb' } }],
    ['headers.a b', { headers: { 'a b': 'x' } }],
    ['contentType', { contentType: 'a\nb' }],
    ['weather.chance', { weather: [{ chance: 2, behaviour: {} }] }],
  ])('an impossible %s is refused by name', async (name, options) => {
    await expect(createFaultyProvider(options)).rejects.toThrow(name);
  });

  test('what is queued or said for always is checked too', () => {
    expect(() => provider.next({}, { status: 99 })).toThrow('status');
    expect(() => provider.always({ chunkBytes: 0 })).toThrow('chunkBytes');
  });

  test('a hundred clients in a storm are all accounted for, and closing ends those that stall', async () => {
    const text = 'one two three four five six';
    const other = await start({ weather: storm(0.5), text, keepRequests: 100 });
    const openai = new OpenAI({ baseURL: other.url, apiKey: 'any', logLevel: 'off', maxRetries: 0 });
    const ask = async (): Promise<string> => {
      let said = '';
      const stream = await openai.chat.completions.create({ model: 'm', messages: [], stream: true });
      for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
      return said === text ? 'whole' : 'part';
    };
    const asking = Array.from({ length: 100 }, () => ask().catch(() => 'failed'));
    const isBusy = () =>
      other.requests.length < 100 ||
      other.requests.some(({ outcome, behaviour }) => outcome === 'open' && behaviour.stallAfter === undefined);
    while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 5));
    const stalled = other.counters.open;
    await other.close();
    const outcomes = await Promise.all(asking);
    const { requests, open, answered, refused, cut, aborted } = other.counters;
    expect(stalled).toBeGreaterThan(0);
    expect({ requests, open, sum: answered + refused + cut + aborted }).toEqual({ requests: 100, open: 0, sum: 100 });
    expect(outcomes.filter((outcome) => outcome === 'whole').length).toBeLessThanOrEqual(answered);
    expect(new Set(outcomes)).toEqual(new Set(['whole', 'part', 'failed']));
  });
});
