/** What becomes of those who wait for a call that somebody else makes, and of calls that go on behind an earlier answer. */
import { describe, expect, test } from '@jest/globals';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, createShelf, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { nothingWithin } from '../support/streamed.ts';
import { chat } from '../support/wires.ts';

const rig = useRig();
const { send, calls } = rig;
const plenty = 1_000_000_000n;
const usage = { inputTokens: 12, outputTokens: 34 };

/** Another one asks the same: whether anything comes of that. */
async function another(cache: ReturnType<typeof createShelf>, stream = true): Promise<string> {
  const answer = send(chat, { cache }, { stream }).then(
    (response) => response.text(),
    () => 'an error',
  );
  return Promise.race([answer, nothingWithin(3_000)]);
}

describe('who waits for the same answer is let go where', () => {
  test.each([true, false])('its consumer aborts before reading it (stream: %p)', async (stream) => {
    const cache = createShelf();
    const controller = new AbortController();
    await send(chat, { cache }, { stream, signal: controller.signal });
    controller.abort();
    await rig.provider.idle();
    expect(await another(cache, stream)).not.toBe('nothing');
  });

  test('its time is over before anybody reads it', async () => {
    const cache = createShelf();
    rig.provider.next({ stallAfter: { contents: 2 } });
    await send(chat, { cache, stall: { totalMs: 50 } });
    await nothingWithin(150);
    expect(await another(cache)).not.toBe('nothing');
  });

  test('its consumer is gone', async () => {
    const cache = createShelf();
    await send(chat, { cache });
    for (let turn = 0; turn < 1_000 && calls().length === 0; turn++) {
      globalThis.gc?.();
      await nothingWithin(5);
    }
    expect(calls()).toHaveLength(1);
    expect(await another(cache)).not.toBe('nothing');
  });

  test('its consumer stops at the last word, and gets that answer', async () => {
    const cache = createShelf();
    const reader = (await send(chat, { cache })).body?.getReader();
    for (let text = ''; !text.includes('[DONE]');) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await nothingWithin(20);
    expect(await another(cache)).toContain('[DONE]');
    expect(rig.provider.requests).toHaveLength(1);
  });
});

describe('the call behind a stale answer', () => {
  test.each([true, false])('is reported with what it used (stream: %p)', async (stream) => {
    const cache = createShelf();
    const purse = createPurse(plenty);
    const policies = { cache, limiter: purse, price: unitPrice };
    rig.provider.next({ text: 'old', usage }, { text: 'new', usage });
    await (await send(chat, policies, { stream })).text();
    await nothingWithin(5);
    cache.isStale = true;
    await (await send(chat, policies, { stream })).text();
    await soon(() => purse.reserved[1]?.ends === 1 && calls().length === 2);
    expect(purse.reserved[1]?.end).toMatchObject({ costNanoUsd: 352n });
    const paid = { outcome: 'ok', attributes: { costNanoUsd: 352n } };
    expect(calls()).toMatchObject([paid, paid]);
  });

  test('is paid inside of another layer, too', async () => {
    const cache = createShelf();
    const purse = createPurse(plenty);
    const both = wrapFetch(wrapFetch(fetch, { cache, limiter: purse, price: unitPrice }), { price: unitPrice });
    rig.provider.next({ text: 'old', usage }, { text: 'new', usage });
    const { path, init } = chat.askWhole();
    for (const isStale of [false, true]) {
      cache.isStale = isStale;
      await (await both(`${rig.provider.url}${path}`, init)).text();
      await nothingWithin(5);
    }
    await soon(() => purse.reserved[1]?.ends === 1);
    expect(purse.reserved[1]?.end).toMatchObject({ costNanoUsd: 352n });
  });

  test.each([
    ['is refused', { status: 500 }],
    ['breaks', { hangUp: true }],
  ])('is reported as failed where it %s', async (_how, behaviour) => {
    const cache = createShelf();
    rig.provider.next({ text: 'old', usage }, behaviour);
    await (await send(chat, { cache })).text();
    await nothingWithin(5);
    cache.isStale = true;
    expect(await (await send(chat, { cache })).text()).toContain('old');
    await soon(() => calls().length === 2);
    expect(calls()).toMatchObject([{ outcome: 'ok' }, { outcome: 'error' }]);
    await rig.provider.idle();
  });
});

test('an answer that a budget cut short is not kept', async () => {
  const cache = createShelf();
  const { path, init } = chat.askWhole({ max_completion_tokens: 1_000 });
  const ask = (budget: bigint): Promise<Response> => {
    const policies = { cache, limiter: createPurse(budget), price: unitPrice, clamp: true };
    return wrapFetch(fetch, policies)(`${rig.provider.url}${path}`, init);
  };
  rig.provider.next({ text: 'short', usage }, { text: 'all of it', usage });
  await (await ask(500n)).text();
  expect(JSON.stringify(rig.provider.requests[0]?.body)).not.toContain('1000');
  expect(await (await ask(plenty)).text()).toContain('all of it');
});

test('what comes from the innermost of three layers is free for all', async () => {
  const purse = createPurse(plenty);
  const { path, init } = chat.askWhole();
  const inner = wrapFetch(wrapFetch(fetch, { cache: createShelf() }), { limiter: purse, price: unitPrice });
  const all = wrapFetch(inner, { price: unitPrice });
  rig.provider.next({ usage });
  for (let n = 0; n < 2; n++) await (await all(`${rig.provider.url}${path}`, init)).text();
  expect(rig.provider.requests).toHaveLength(1);
  expect(calls()[1]).toMatchObject({ attributes: { costNanoUsd: 0n } });
  expect(purse.reserved[1]?.end).toMatchObject({ tokens: 0, costNanoUsd: 0n });
});

test('a cache that throws at once fails no call', async () => {
  const broken = {
    wrap: (): never => {
      throw new Error('no cache');
    },
  };
  expect((await send(chat, { cache: broken })).status).toBe(200);
});
