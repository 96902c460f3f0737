import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import type { AnswerCache } from '../../src/middleware/cache.ts';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, createShelf, unitPrice } from '../support/policies.ts';
import { useRig } from '../support/rig.ts';
import { nothingWithin } from '../support/streamed.ts';
import { anthropic, chat, wires } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;
const plenty = 1_000_000_000n;

describe.each(wires.map((wire) => [wire.name, wire] as const))('an answer of %s from the cache', (_name, wire) => {
  test.each([true, false])('is the same, is no call and costs nothing (stream: %p)', async (stream) => {
    const cache = createShelf();
    const purse = createPurse(plenty);
    const policies = { cache, limiter: purse, price: unitPrice };
    rig.provider.next({ usage: { inputTokens: 12, outputTokens: 34 } });
    const first = await send(wire, policies, { stream });
    const text = await first.text();
    expect(first.headers.has('cache-status')).toBe(false);
    const again = await send(wire, policies, { stream });
    expect([again.status, again.headers.get('content-type'), await again.text()]).toEqual([
      200,
      first.headers.get('content-type'),
      text,
    ]);
    expect(again.headers.get('cache-status')).toBe('sage-llm; hit');
    expect([rig.provider.requests.length, calls().length, purse.reserved.length]).toEqual([1, 1, 1]);
    expect([...cache.kept.values()]).toMatchObject([
      {
        status: 200,
        model: wire.model,
        usage: { inputTokens: 12, outputTokens: 34 },
        finishReason: expect.any(String),
      },
    ]);
    expect(cache.asked[0]?.input).toMatchObject({ provider: wire.provider, api: wire.api, model: wire.model, stream });
  });
});

test('an answer that nobody reads is let go all the same, and settled', async () => {
  const purse = createPurse(plenty);
  const cache = createShelf();
  await send(chat, { cache, limiter: purse, price: unitPrice }, { stream: true });
  for (let turn = 0; turn < 1_000 && purse.reserved[0]?.ends !== 1; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect([purse.reserved[0]?.ends, calls()[0]?.outcome, cache.kept.size]).toEqual([1, 'cancelled', 0]);
});

describe('what is kept', () => {
  test('belongs to the tenant of the context', async () => {
    const cache = createShelf();
    for (const tenant of ['a', 'b']) await run({ tenant }, async () => (await send(chat, { cache })).text());
    expect([rig.provider.requests.length, cache.asked.map(({ scope }) => scope)]).toEqual([2, ['a', 'b']]);
  });

  test.each([
    ['an error', { status: 503 }],
    ['an error within a stream', { errorEventAt: { contents: 2 } }],
    ['a stream that ends too early', { endAfter: { contents: 2 } }],
    ['a stream that is cut', { cutAfter: { contents: 2 } }],
  ])('is never %s', async (_what, behaviour) => {
    const cache = createShelf();
    rig.provider.next(behaviour);
    await (await send(chat, { cache })).text().catch(() => {});
    expect(cache.kept.size).toBe(0);
    const response = await send(chat, { cache });
    expect([response.status, response.headers.get('cache-status')]).toEqual([200, null]);
    await response.text();
    expect(cache.kept.size).toBe(1);
  });

  test('is never half an answer, but a whole one where the consumer leaves at the last word', async () => {
    const cache = createShelf();
    const reader = (await send(chat, { cache })).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(cache.kept.size).toBe(0);
    rig.provider.next({ neverEnd: true });
    const another = (await send(chat, { cache })).body?.getReader();
    for (let text = ''; !text.includes('[DONE]');) text += Buffer.from((await another?.read())?.value ?? []).toString();
    await another?.cancel();
    await rig.provider.idle();
    expect([...cache.kept.values()][0]?.body).toContain('[DONE]');
  });

  test('is never one that a consumer left between the reason to finish and the last word', async () => {
    const cache = createShelf();
    rig.provider.next({ neverEnd: true, omitUsage: true });
    const reader = (await send(chat, { cache })).body?.getReader();
    for (let text = ''; !text.includes('"stop"');) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    await rig.provider.idle();
    expect([calls()[0]?.outcome, cache.kept.size]).toEqual(['ok', 0]);
  });
});

/** Fails while the call that it made goes on. */
const hasty: AnswerCache = {
  wrap(_input, make) {
    make().catch(() => {});
    return Promise.reject(new Error('no cache'));
  },
};

describe('the cache', () => {
  test('is told of fields by which answers to the same body differ', async () => {
    const cache = createShelf();
    const { path, init } = anthropic.askWhole();
    const ask = async (beta: string): Promise<void> => {
      const headers = { ...init.headers, 'anthropic-version': '2023-06-01', 'anthropic-beta': beta };
      await (await wrapFetch(fetch, { cache })(`${rig.provider.url}${path}`, { ...init, headers })).text();
    };
    for (const beta of ['one', 'other', 'one']) await ask(beta);
    expect(rig.provider.requests).toHaveLength(2);
    expect(cache.asked[1]?.input.headers).toEqual([
      ['anthropic-version', '2023-06-01'],
      ['anthropic-beta', 'other'],
    ]);
    await (await send(chat, { cache })).text();
    expect(cache.asked[3]?.input).not.toHaveProperty('headers');
  });

  test.each([
    ['never made', async () => {}],
    ['came to nothing', async (make: () => Promise<unknown>) => void (await make().catch(() => {}))],
  ])('that speaks of a call that it %s does not leave its client waiting', async (_how, call) => {
    const value = { status: 200, headers: [], body: '{}' };
    const cache: AnswerCache = { wrap: (_input, make) => call(make).then(() => ({ value, source: 'call' })) };
    rig.provider.next({ status: 503 });
    const answer = await Promise.race([send(chat, { cache }), nothingWithin(3_000)]);
    expect(answer).toHaveProperty('status', 503);
    expect(rig.provider.requests).toHaveLength(1);
    await (answer as Response).text();
  });

  test('lets the first consumer read while it comes, and many make one call', async () => {
    const cache = createShelf();
    rig.provider.next({ tokenDelayMs: 2 });
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const response = await send(chat, { cache });
        return response.text();
      }),
    );
    expect([new Set(answers).size, rig.provider.requests.length, calls().length]).toEqual([1, 1, 1]);
  });

  test('that serves what is stale has the new one read to its end', async () => {
    const cache = createShelf();
    rig.provider.next({ text: 'old' }, { text: 'new' });
    await (await send(chat, { cache }, { stream: false })).text();
    // The flight of the first is over.
    await new Promise((resolve) => setImmediate(resolve));
    cache.isStale = true;
    const stale = await send(chat, { cache }, { stream: false });
    expect([await stale.text(), stale.headers.get('cache-status')]).toEqual([
      expect.stringContaining('old'),
      'sage-llm; hit; detail=stale',
    ]);
    for (let turn = 0; turn < 50 && ![...cache.kept.values()][0]?.body.includes('new'); turn++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    expect([...cache.kept.values()][0]?.body).toContain('new');
    expect(calls()).toHaveLength(2);
  });

  test('that fails fails no call', async () => {
    const broken = { wrap: () => Promise.reject(new Error('no cache')) };
    expect(await (await send(anthropic, { cache: broken })).text()).toContain('message_stop');
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
  });

  test('that fails once the answer is on its way, or gives what is no answer, fails no call and makes none again', async () => {
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    const late: AnswerCache = { wrap: (_input, make) => Promise.race([failed, make().then(() => failed)]) };
    const value = { status: 200, headers: [['no name', '']] as const, body: '' };
    const wrong: AnswerCache = { wrap: async () => ({ value, source: 'cache' }) };
    const responses = [await send(anthropic, { cache: late }), await send(anthropic, { cache: wrong })];
    fail(new Error('no cache'));
    for (const response of responses) expect(await response.text()).toContain('message_stop');
    expect([rig.provider.requests.length, calls().length]).toEqual([2, 2]);
  });

  test.each([
    ['answers', {}, 200],
    ['is refused', { status: 429 }, 429],
  ])('that fails while its call goes on makes no other: the call %s', async (_end, behaviour, status) => {
    const purse = createPurse(plenty);
    rig.provider.next({ latencyMs: 20, ...behaviour });
    const response = await send(chat, { cache: hasty, limiter: purse, price: unitPrice });
    await response.text();
    expect([response.status, rig.provider.requests.length, calls().length, purse.reserved.length]).toEqual([
      status,
      1,
      1,
      1,
    ]);
  });

  test('that fails while its call goes on gives the error of a call that breaks', async () => {
    rig.provider.next({ hangUp: true });
    await expect(send(chat, { cache: hasty })).rejects.toThrow('fetch failed');
    expect(rig.provider.requests).toHaveLength(1);
  });

  test('gives the failure of the call as it is', async () => {
    rig.provider.next({ hangUp: true }, { status: 429 });
    await expect(send(chat, { cache: createShelf() })).rejects.toThrow('fetch failed');
    expect((await send(chat, { cache: createShelf() })).status).toBe(429);
  });

  test('inside of another layer makes the call of that layer free', async () => {
    const cache = createShelf();
    const purse = createPurse(plenty);
    const { path, init } = chat.ask();
    const both = wrapFetch(wrapFetch(fetch, { cache }), { limiter: purse, price: unitPrice });
    for (let n = 0; n < 2; n++) await (await both(`${rig.provider.url}${path}`, init)).text();
    expect(rig.provider.requests).toHaveLength(1);
    expect(calls()[1]).toMatchObject({ outcome: 'ok', attributes: { costNanoUsd: 0n } });
    expect(calls()[1]?.attributes).not.toHaveProperty('inputTokens');
    expect(purse.reserved[1]?.end).toMatchObject({ tokens: 0, costNanoUsd: 0n });
  });
});
