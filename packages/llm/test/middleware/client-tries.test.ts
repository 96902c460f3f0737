import { describe, expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createFuse, createPurse, unitPrice } from '../support/policies.ts';
import { soon, useRig } from '../support/rig.ts';
import { nothingWithin } from '../support/streamed.ts';
import { chat } from '../support/wires.ts';

const rig = useRig();
const { calls } = rig;
const usage = { inputTokens: 12, outputTokens: 34 };

interface Try {
  /** Tries that its client made before. */
  readonly before: number;
  readonly query?: string;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** One try of a client that tells how often it tried. */
function tryBy(by: typeof fetch, { before, query = '', key = 'any', signal }: Try): Promise<Response> {
  const { path, init } = chat.askWhole();
  const headers = { ...init.headers, authorization: `Bearer ${key}`, 'x-stainless-retry-count': String(before) };
  return by(`${rig.provider.url}${path}${query}`, { ...init, headers, ...(signal !== undefined && { signal }) });
}

describe('tries of two that ask the same', () => {
  test('in two contexts are those of each', async () => {
    const purse = createPurse(1_000_000_000n);
    const by = wrapFetch(fetch, { limiter: purse, price: unitPrice });
    const ask = (user: string, before: number): Promise<Response> =>
      run({ userId: user, tenant: user }, () => tryBy(by, { before }));
    rig.provider.next(
      { status: 503 },
      { status: 503 },
      { usage: { inputTokens: 1, outputTokens: 1 } },
      { status: 400 },
    );
    for (const user of ['a', 'b']) await (await ask(user, 0)).body?.cancel();
    const statuses: number[] = [];
    for (const user of ['b', 'a']) {
      const response = await ask(user, 1);
      statuses.push(response.status);
      await response.text();
    }
    await soon(() => calls().length === 2);
    expect(statuses).toEqual([200, 400]);
    const paid = purse.reserved.map(({ subject, end }) => [subject.user, (end as { tokens: number }).tokens]);
    expect(paid).toEqual([
      ['a', 0],
      ['b', 2],
    ]);
    expect(calls().map(({ context, outcome }) => [context?.userId, outcome])).toEqual([
      ['b', 'ok'],
      ['a', 'error'],
    ]);
  });

  test.each([
    ['of two hosts', { query: '?host=one' }, { query: '?host=two' }],
    ['with two keys', { key: 'one' }, { key: 'two' }],
  ])('%s are those of each', async (_what, one, two) => {
    const by = wrapFetch(fetch, { price: unitPrice });
    rig.provider.next({ status: 503 }, { status: 503 }, { usage }, { status: 400 });
    for (const whose of [one, two]) await (await tryBy(by, { before: 0, ...whose })).body?.cancel();
    for (const whose of [two, one]) await (await tryBy(by, { before: 1, ...whose })).text();
    await soon(() => calls().length === 2);
    expect(calls()).toMatchObject([
      { outcome: 'ok', attributes: { attempts: 2, costNanoUsd: 352n } },
      { outcome: 'error', attributes: { attempts: 2 } },
    ]);
  });
});

test('a try whose connection breaks after a refused one is a failure of the provider', async () => {
  const fuse = createFuse();
  const by = wrapFetch(fetch, { breaker: fuse });
  rig.provider.next({ status: 429 }, { hangUp: true });
  await (await tryBy(by, { before: 0 })).body?.cancel();
  await expect(tryBy(by, { before: 1 })).rejects.toThrow();
  expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_UNREACHABLE' }]);
  expect(fuse.words).toEqual(['llm.openai', expect.objectContaining({ message: 'fetch failed' })]);
});

test('a try that is aborted after a refused one is cancelled, whatever the reason', async () => {
  const by = wrapFetch(fetch, {});
  const controller = new AbortController();
  const { signal } = controller;
  rig.provider.next({ status: 429 }, { latencyMs: Number.POSITIVE_INFINITY });
  await (await tryBy(by, { before: 0, signal })).body?.cancel();
  const second = tryBy(by, { before: 1, signal });
  second.catch(() => {});
  await soon(() => rig.provider.requests.length === 2);
  await nothingWithin(20);
  controller.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
});

test('a call that is aborted while its client waits is over at once', async () => {
  const by = wrapFetch(fetch, {});
  const controller = new AbortController();
  rig.provider.next({ status: 503 });
  await (await tryBy(by, { before: 0, signal: controller.signal })).body?.cancel();
  await nothingWithin(20);
  expect(calls()).toEqual([]);
  controller.abort();
  expect(calls()).toMatchObject([{ outcome: 'error' }]);
});
