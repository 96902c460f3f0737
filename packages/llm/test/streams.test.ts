import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OperationRecord } from '@sage-adk/core';
import { type OperationRecorder, recordOperations } from '@sage-adk/core/testing';
import { type Behaviour, createFaultyProvider, type FaultyProvider } from '../src/testing/index.ts';
import { wrapFetch } from '../src/wrap-fetch.ts';
import { createPurse } from './support/policies.ts';
import { chat, completions, gemini, type WireCase, wires } from './support/wires.ts';

let recorder: OperationRecorder;
let provider: FaultyProvider;
beforeEach(async () => {
  recorder = recordOperations();
  provider = await createFaultyProvider();
});
afterEach(async () => {
  recorder[Symbol.dispose]();
  await provider.close();
});

const cases = wires.map((wire) => [wire.name, wire] as const);

describe.each(cases)('a stream of %s', (_name, wire) => {
  const usage = { inputTokens: 60, outputTokens: 40, cachedInputTokens: 20, reasoningTokens: 7 };

  test('OM6, OM7: tells usage, model and finish reason, as the provider counted, and passes byte by byte', async () => {
    provider.always({ usage, reasoning: 'let me think' });
    const bare = await (await send(wire, fetch, { stream_options: { include_usage: true } })).text();
    const response = await send(wire, wrapFetch(fetch), { stream_options: { include_usage: true } });
    expect(withoutSerial(await response.text())).toBe(withoutSerial(bare));
    expect(calls()).toMatchObject([
      {
        start: { provider: wire.provider, api: wire.api, model: wire.model, stream: true },
        attributes: { ...usage, responseModel: wire.model, finishReason: expect.any(String), attempts: 1 },
        outcome: 'ok',
      },
    ]);
  });

  test('is read the same in pieces of one byte', async () => {
    provider.always({ usage, chunkBytes: 1 });
    await (await send(wire, wrapFetch(fetch))).text();
    expect(calls()).toMatchObject([{ attributes: usage, outcome: 'ok' }]);
  });

  test('OM8: tells the time to the first content, calls of tools included', async () => {
    provider.next(
      { tokenDelayMs: 15, text: 'a b c' },
      // A completion calls none.
      {
        tokenDelayMs: 15,
        ...(wire !== completions && { toolCalls: [{ name: 'clock', arguments: { city: 'Seoul' } }] }),
      },
    );
    for (let n = 0; n < 2; n++) await (await send(wire, wrapFetch(fetch))).text();
    expect(calls()).toHaveLength(2);
    for (const { attributes, durationMs } of calls()) {
      expect(attributes.firstTokenMs).toBeGreaterThanOrEqual(14);
      expect(attributes.firstTokenMs).toBeLessThanOrEqual(durationMs);
    }
  });

  test('that is cut after content counts what came', async () => {
    await expect(read(wire, { text: 'one two three four five six', cutAfter: { contents: 3 } })).rejects.toThrow();
    const [request] = provider.requests;
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNREACHABLE', category: 'transient' }]);
    expect(calls()[0]?.attributes.outputTokens).toBeGreaterThanOrEqual(request?.billed.outputTokens ?? 99);
    expect(calls()[0]?.attributes.inputTokens).toBeGreaterThanOrEqual(request?.billed.inputTokens ?? 99);
  });

  test('that ends in good order but too early is an error, whatever its bytes', async () => {
    await read(wire, { endAfter: { contents: 3 } });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_INCOMPLETE' }]);
  });

  test('an error in the middle is an error of the call, and passes as it is', async () => {
    const text = await read(wire, { errorEventAt: { contents: 2 }, error: 'overloaded' });
    expect(text).toMatch(/overloaded/i);
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNAVAILABLE' }]);
  });

  test('an error before the first content is an answer with the status that it would have had', async () => {
    for (const errorForm of ['event', 'ending'] as const) {
      provider.next({ errorEventAt: { contents: 0 }, error: 'rate_limit', errorForm });
      const response = await send(wire, wrapFetch(fetch));
      expect([response.status, response.headers.get('content-type')]).toEqual([429, 'application/json']);
      expect(await response.json()).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
      await provider.idle();
    }
    expect(calls()).toMatchObject(
      Array.from({ length: 2 }, () => ({
        outcome: 'error',
        code: 'SAGE_LLM_RATE_LIMITED',
        attributes: { attempts: 1 },
      })),
    );
  });

  test.each<[string, Behaviour, string]>([
    ['is cut', { cutAfter: { contents: 0 } }, 'SAGE_LLM_UNREACHABLE'],
    ['ends', { endAfter: { contents: 0 } }, 'SAGE_LLM_INCOMPLETE'],
    ['cannot be read', { malformedAt: 0 }, 'SAGE_LLM_MALFORMED'],
    ['is empty', { emptyBody: true }, 'SAGE_LLM_INCOMPLETE'],
  ])(
    'that %s before the first content is an error of fetch, and the connection is let go',
    async (_what, behaviour, code) => {
      provider.next(behaviour);
      await expect(send(wire, wrapFetch(fetch))).rejects.toThrow();
      expect(calls()).toMatchObject([{ outcome: 'error', code, category: 'transient', attributes: { attempts: 1 } }]);
      expect(calls()[0]?.attributes).not.toHaveProperty('inputTokens');
      await provider.idle();
    },
  );

  test('that the consumer drops over an event that nobody can read is an error, not the wish of the consumer', async () => {
    provider.next({ malformedAt: { contents: 2 }, neverEnd: true });
    const response = await send(wire, wrapFetch(fetch));
    const reader = response.body?.getReader();
    let text = '';
    for (let seen = 0; seen < 3;) {
      const { value } = (await reader?.read()) ?? {};
      text += Buffer.from(value ?? []).toString();
      seen = text.split(/\r?\n\r?\n/).filter((event) => isBroken(event)).length > 0 ? 3 : 0;
    }
    await reader?.cancel();
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_MALFORMED' }]);
  });

  test('with nothing to say is an answer', async () => {
    await read(wire, { text: '' });
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
  });

  test('without usage tells none, and no cost', async () => {
    provider.next({ omitUsage: true });
    const price = { costNanoUsd: () => 1n };
    await (await send(wire, wrapFetch(fetch, { price }))).text();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { finishReason: expect.any(String) } }]);
    expect(calls()[0]?.attributes).not.toHaveProperty('inputTokens');
    expect(calls()[0]?.attributes).not.toHaveProperty('costNanoUsd');
  });

  async function read(one: WireCase, behaviour: Behaviour): Promise<string> {
    provider.next(behaviour);
    return (await send(one, wrapFetch(fetch))).text();
  }
});

describe('usage that only we asked for', () => {
  const text = 'one two three';

  test.each([1, 3, 50, undefined])('is hidden again, in pieces of %p bytes', async (chunkBytes) => {
    provider.always({ text, usage: { inputTokens: 9 }, chunkBytes });
    const bare = withoutSerial(await (await send(chat, fetch)).text());
    const seen = withoutSerial(await (await send(chat, wrapFetch(fetch))).text());
    expect(seen.replaceAll('"usage":null,', '')).toBe(bare);
    expect(provider.requests.at(-1)?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(calls()[0]?.attributes.inputTokens).toBe(9);
  });

  test('is asked for in the options that are there, and nowhere else', async () => {
    await (await send(chat, wrapFetch(fetch), { stream_options: { include_obfuscation: false } })).text();
    expect(provider.requests.at(-1)?.body).toMatchObject({
      stream_options: { include_obfuscation: false, include_usage: true },
    });
    await (await send(chat, wrapFetch(fetch), { stream: false })).text();
    expect(provider.requests.at(-1)?.body).not.toHaveProperty('stream_options');
  });

  test('is left where the client asked for it', async () => {
    provider.always({ text });
    const more = { stream_options: { include_usage: true } };
    const seen = await (await send(chat, wrapFetch(fetch), more)).text();
    expect(seen).toContain('"choices":[]');
  });

  test('goes with a request that is passed on, whose length is another then', async () => {
    const { path, init } = chat.ask();
    const headers = { ...init.headers, 'content-length': String(init.body.length), 'x-own': 'kept' };
    const arrived = new Request('http://gateway.test/', { ...init, headers });
    const response = await wrapFetch(fetch)(new Request(`${provider.url}${path}`, arrived));
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('[DONE]')]);
    const [request] = provider.requests;
    expect(request?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(request?.headers).toMatchObject({ 'x-own': 'kept', 'content-type': 'application/json' });
  }, 30_000);

  test('leaves the rest of the request as it was written', async () => {
    const body =
      '{ "messages": [{"role":"user","content":"h\\u00e9 \\"}"}],\n "seed": 12345678901234567890, "stream" : true,"model":"gpt-4.1" }';
    const sent: unknown[] = [];
    const inner = async (_input: unknown, init?: RequestInit) => {
      sent.push(init?.body);
      return new Response('data: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } });
    };
    await wrapFetch(inner)(`https://api.test${chat.ask().path}`, { method: 'POST', body });
    expect(sent).toEqual([body.replace('{ ', '{"stream_options":{"include_usage":true}, ')]);
  });
});

describe('a host that refuses to be asked for usage', () => {
  const refusals = [
    [
      'Mistral',
      422,
      { message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options', 'include_usage'] }] } },
    ],
    ['Azure', 400, { error: { message: 'Unrecognized request argument supplied: stream_options', code: null } }],
  ] as const;

  /** Answers with the refusal where usage is asked for, with a stream otherwise. */
  function createHost(status: number, refusal: unknown, isPicky = (body: string) => body.includes('stream_options')) {
    const bodies: string[] = [];
    const by = async (_input: unknown, init?: RequestInit) => {
      const body = typeof init?.body === 'string' ? init.body : '';
      bodies.push(body);
      if (isPicky(body)) return Response.json(refusal, { status });
      const last = {
        choices: [{ delta: {}, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 6 },
      };
      const events = [{ choices: [{ delta: { content: 'Hi' } }] }, last].map(
        (one) => `data: ${JSON.stringify(one)}\n\n`,
      );
      return new Response(`${events.join('')}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
    };
    return { bodies, by };
  }

  test.each(refusals)('is called as the client wrote it, now and from then on: %s', async (name, status, refusal) => {
    const { by, bodies } = createHost(status, refusal);
    const { init } = chat.ask();
    for (const attempts of [2, 1]) {
      const response = await wrapFetch(by)(`https://${name}.test/v1/chat/completions`, init);
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('[DONE]')]);
      expect(calls().at(-1)).toMatchObject({
        outcome: 'ok',
        attributes: { inputTokens: 5, outputTokens: 6, attempts },
      });
    }
    expect(bodies).toEqual([expect.stringContaining('include_usage'), init.body, init.body]);
  });

  test('is watched while it is called again, and called through all layers', async () => {
    const [[, status, refusal]] = refusals;
    const { by, bodies } = createHost(status, refusal);
    const policies = { stall: { totalMs: 60_000 }, limiter: createPurse(1_000_000_000n) };
    const both = wrapFetch(wrapFetch(by, policies), policies);
    const response = await both('https://layers.test/v1/chat/completions', chat.ask().init);
    expect(await response.text()).toContain('[DONE]');
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { inputTokens: 5 } }]);
    expect(policies.limiter.reserved).toMatchObject([{ ends: 1 }]);
    expect(bodies).toHaveLength(2);
  });

  test('for another reason has said so, once', async () => {
    const { by, bodies } = createHost(400, { error: { message: 'no such tool' } }, () => true);
    const response = await wrapFetch(by)('https://other.test/v1/chat/completions', chat.ask().init);
    expect([response.status, await response.json()]).toEqual([400, { error: { message: 'no such tool' } }]);
    expect([bodies.length, calls()[0]?.code]).toEqual([1, 'SAGE_LLM_REFUSED']);
  });

  test('has refused the client, where the client asked', async () => {
    const [[, status, refusal]] = refusals;
    const { by, bodies } = createHost(status, refusal);
    const { init } = chat.ask({ stream_options: { include_usage: true } });
    const response = await wrapFetch(by)('https://asked.test/v1/chat/completions', init);
    expect([response.status, await response.json(), bodies.length]).toEqual([status, refusal, 1]);
  });
});

describe('the end of a stream', () => {
  test.each([
    ['OpenAI chat', '[DONE]'],
    ['OpenAI responses', 'event: response.completed'],
    ['Anthropic messages', 'event: message_stop'],
  ])('is the last word of the provider, whatever comes after: %s, %s', async (name, word) => {
    provider.next({ neverEnd: true });
    const response = await send(wires.find((one) => one.name === name) ?? chat, wrapFetch(fetch));
    const reader = response.body?.getReader();
    const isOver = new RegExp(`${word.replaceAll(/[[\]]/g, '\\$&')}[^]*\\n\\r?\\n`);
    for (let text = ''; !isOver.test(text);) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { inputTokens: expect.any(Number) } }]);
    await reader?.cancel();
    await provider.idle();
    expect(calls()).toHaveLength(1);
  });

  test('is the reason to finish, where the consumer leaves there, by whichever way, and usage that did not come is an estimate', async () => {
    for (const how of ['cancel', 'abort'] as const) {
      provider.next({ neverEnd: true, omitUsage: true, text: 'one two three' });
      const controller = new AbortController();
      const { path, init } = chat.ask();
      const by = wrapFetch(fetch, { price: { costNanoUsd: ({ usage }) => BigInt(usage.outputTokens) } });
      const response = await by(`${provider.url}${path}`, { ...init, signal: controller.signal });
      const reader = response.body?.getReader();
      for (let text = ''; !text.includes('"stop"');)
        text += Buffer.from((await reader?.read())?.value ?? []).toString();
      if (how === 'abort') controller.abort();
      else await reader?.cancel();
      await provider.idle();
    }
    const attributes = { inputTokens: expect.any(Number), outputTokens: 5, costNanoUsd: 5n, finishReason: 'stop' };
    expect(calls()).toMatchObject([
      { outcome: 'ok', attributes },
      { outcome: 'ok', attributes },
    ]);
  });

  test('of a response that is incomplete is whole, and tells why', async () => {
    const usage = { input_tokens: 12, output_tokens: 34 };
    const response = {
      status: 'incomplete',
      model: 'gpt-5',
      incomplete_details: { reason: 'max_output_tokens' },
      usage,
    };
    await readEvents('/v1/responses', [
      { type: 'response.output_text.delta', delta: 'Hi' },
      { type: 'response.incomplete', response },
    ]);
    const attributes = { inputTokens: 12, outputTokens: 34, finishReason: 'incomplete', responseModel: 'gpt-5' };
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes }]);
  });

  test('OM7: of Anthropic keeps what its start told of the cache, and has the output of its end', async () => {
    const written = { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 };
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 200,
      cache_creation: written,
      output_tokens: 1,
    };
    await readEvents('/v1/messages', [
      { type: 'message_start', message: { model: 'claude', usage } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } },
      { type: 'message_stop' },
    ]);
    const attributes = {
      inputTokens: 303,
      outputTokens: 15,
      cachedInputTokens: 200,
      cacheWriteTokens: 100,
      longCacheWriteTokens: 60,
    };
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes }]);
  });

  async function readEvents(
    path: string,
    events: readonly { readonly type: string; readonly [name: string]: unknown }[],
  ): Promise<void> {
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    const inner = async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    await (await wrapFetch(inner)(`https://api.test${path}`, { method: 'POST', body: '{"stream":true}' })).text();
  }

  test.each([
    ['OpenAI chat', 'ok'],
    ['Anthropic messages', 'ok'],
    // Their last event is the one that says that they are done, and no client sees it.
    ['OpenAI responses', 'SAGE_LLM_INCOMPLETE'],
    ['Gemini', 'SAGE_LLM_INCOMPLETE'],
  ])('of %s tells usage also where the last event lacks its empty line', async (name, how) => {
    const wire = wires.find((one) => one.name === name) ?? chat;
    const inner: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      return new Response((await response.text()).replace('data: [DONE]', '').trimEnd(), response);
    };
    provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    const text = await (await send(wire, wrapFetch(inner))).text();
    expect(calls().map(({ outcome, code }) => code ?? outcome)).toEqual([how]);
    expect(calls()).toMatchObject([{ attributes: { inputTokens: 12, outputTokens: 34 } }]);
    expect(text).not.toContain('"prompt_tokens"');
  });

  test('in an error without an empty line is that error', async () => {
    const inner = async () =>
      new Response('data: {"error":{"message":"busy","code":429}}', {
        headers: { 'content-type': 'text/event-stream' },
      });
    const response = await send(chat, wrapFetch(inner));
    expect([response.status, await response.json()]).toMatchObject([429, { error: { message: 'busy' } }]);
  });

  test('within an event that is not whole is too early', async () => {
    const inner = async () =>
      new Response('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"choices":[{"delta":{"cont', {
        headers: { 'content-type': 'text/event-stream' },
      });
    expect(await (await send(chat, wrapFetch(inner))).text()).toContain('"cont');
    expect(calls()).toMatchObject([{ code: 'SAGE_LLM_INCOMPLETE', attributes: { outputTokens: 1 } }]);
  });

  test('is a whole answer too, where the consumer leaves after the reason to finish', async () => {
    provider.next({ neverEnd: true });
    const response = await send(gemini, wrapFetch(fetch));
    const reader = response.body?.getReader();
    for (let text = ''; !text.includes('finishReason');) {
      text += Buffer.from((await reader?.read())?.value ?? []).toString();
    }
    await reader?.cancel();
    expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { inputTokens: expect.any(Number) } }]);
  });
});

function send(wire: WireCase, by: typeof fetch, more?: Record<string, unknown>): Promise<Response> {
  const { path, init } = wire.ask(wire === chat || wire === completions ? more : undefined);
  return by(`${provider.url}${path}`, init);
}

/** The server numbers its requests, and its answers carry the number and the time. */
function withoutSerial(text: string): string {
  return text
    .replace(/"created(_at)?":\d+/g, '')
    .replace(/"signature":"[^"]+"/g, '')
    .replace(/\d{6}/g, '#');
}

function isBroken(event: string): boolean {
  const [, data] = /^data: (.*)$/m.exec(event) ?? [];
  if (data === undefined || data === '[DONE]') return false;
  try {
    JSON.parse(data);
    return false;
  } catch {
    return event.endsWith(data) && !event.includes('\n\n') && data.length > 0;
  }
}

function calls(): readonly OperationRecord<'llm.call'>[] {
  return recorder.named('llm.call');
}
