/** The signal of the context ends a call as the request's own does, and keeps nothing of it. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { openOperations, type RetryPolicy, run } from '@sage-adk/core';
import { createAiSdkMiddleware, createAiSdkTelemetry } from '../src/ai-sdk/index.ts';
import { createAnthropicMiddleware } from '../src/anthropic/index.ts';
import { type LlmPolicies, wrapFetch } from '../src/index.ts';
import type { Behaviour } from '../src/testing/index.ts';
import { createPurse, createRetries, unitPrice } from './support/policies.ts';
import { soon, useRig } from './support/rig.ts';
import { chat, wires } from './support/wires.ts';
import { aiClientsOf, anthropicClient, anthropicMessages, sdkClientsOf } from './testing/support/clients.ts';

const rig = useRig();
const { calls } = rig;
const forever = Number.POSITIVE_INFINITY;
const enough = new Error('enough');

/** Waits for the signal between tries, as policies do. */
function waitingRetries(began: () => void): RetryPolicy {
  return {
    async execute(call, { signal = new AbortController().signal } = {}) {
      const waiting = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
      await call({ attempt: 1, signal }).catch(began);
      return waiting;
    },
  };
}

const policies: readonly (readonly [string, LlmPolicies])[] = [
  ['no policy', {}],
  ['a stall policy', { stall: { totalMs: 60_000 } }],
  ['a retry policy', { retry: createRetries(2) }],
  ['both', { stall: { totalMs: 60_000 }, retry: createRetries(2) }],
];
const signals = ['none', 'of its own'] as const;
const cases = wires.flatMap((wire) =>
  policies.flatMap(([policy, plugged]) => signals.map((own) => [wire.name, policy, own, wire, plugged] as const)),
);

describe.each(cases)('a call of %s with %s, and as signal %s', (_wire, _policy, own, wire, plugged) => {
  const sending = (stream: boolean) => ({
    stream,
    ...(own === 'of its own' && { signal: new AbortController().signal }),
  });

  test('ends before its answer', async () => {
    rig.provider.next({ latencyMs: forever });
    const { signal, abort } = context();
    const calling = run({ signal }, () => rig.send(wire, plugged, sending(true)));
    const failing = expect(calling).rejects.toBe(enough);
    await soon(() => rig.provider.counters.open > 0);
    abort();
    await failing;
    await rig.provider.idle();
    expect(calls()).toMatchObject([{ outcome: 'cancelled', attributes: { attempts: 1 } }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.each([
    ['a stream', true, { stallAfter: { contents: 2 } }],
    ['a stream after its last word', true, { neverEnd: true }],
  ] as const)('ends in the middle of %s', async (_what, stream, behaviour: Behaviour) => {
    rig.provider.next(behaviour);
    const { signal, abort } = context();
    const response = await run({ signal }, () => rig.send(wire, plugged, sending(stream)));
    const reading = expect(response.text()).rejects.toBe(enough);
    await soon(() => rig.provider.counters.open > 0);
    abort();
    await reading;
    await rig.provider.idle();
    expect(calls()).toHaveLength(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.each([true, false])('keeps nothing at the signal once it was read (stream: %s)', async (stream) => {
    const { signal } = context();
    await (await run({ signal }, () => rig.send(wire, plugged, sending(stream)))).text();
    expect(calls()).toMatchObject([{ outcome: 'ok' }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a call', () => {
  test.each(signals)('does not go out where its time is over by then, with a signal %s', async (own) => {
    const { signal, abort } = context();
    abort();
    const sending = own === 'none' ? {} : { signal: new AbortController().signal };
    await expect(run({ signal }, () => rig.send(chat, {}, sending))).rejects.toBe(enough);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(rig.provider.requests).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('still ends with its own signal', async () => {
    rig.provider.next({ stallAfter: { contents: 2 } });
    const { signal } = context();
    const own = new AbortController();
    const response = await run({ signal }, () => rig.send(chat, {}, { signal: own.signal }));
    const reading = expect(response.text()).rejects.toBe(enough);
    own.abort(enough);
    await reading;
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(getEventListeners(own.signal, 'abort')).toEqual([]);
  });

  test('ends in the middle of an answer in one piece', async () => {
    const { signal, abort } = context();
    const pending = new ReadableStream<Uint8Array>({ start: (body) => body.enqueue(Buffer.from('{"model":')) });
    const open = async () => new Response(pending, { headers: { 'content-type': 'application/json' } });
    const response = await run({ signal }, () => rig.send(chat, {}, { by: open, stream: false }));
    const reading = expect(response.json()).rejects.toBe(enough);
    abort();
    await reading;
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.each(signals)('ends between its tries, with a signal %s', async (own) => {
    rig.provider.next({ status: 503 });
    const { signal, abort } = context();
    const sending = own === 'none' ? {} : { signal: new AbortController().signal };
    const retry = waitingRetries(abort);
    await expect(run({ signal }, () => rig.send(chat, { retry }, sending))).rejects.toBe(enough);
    expect(calls()).toMatchObject([{ outcome: 'cancelled', attributes: { attempts: 1 } }]);
    await rig.provider.idle();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('that waits for the next try of its client ends, and is settled', async () => {
    rig.provider.next({ status: 503 });
    const { signal, abort } = context();
    const purse = createPurse(1_000_000_000n);
    const headers = { 'x-stainless-retry-count': '0' };
    const response = await run({ signal }, () => rig.send(chat, { limiter: purse, price: unitPrice }, { headers }));
    await response.body?.cancel();
    expect(calls()).toEqual([]);
    abort();
    expect(calls()).toMatchObject([{ outcome: 'error' }]);
    expect(purse.reserved).toMatchObject([{ ends: 1 }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('that nobody reads keeps nothing either, once it is found', async () => {
    rig.provider.next({ endless: true });
    const { signal } = context();
    await run({ signal }, () => rig.send(chat)).then(() => {});
    await soon(() => {
      globalThis.gc?.();
      return calls().length > 0;
    });
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('is told the limiter with a signal that ends with either', async () => {
    const purse = createPurse(1_000_000_000n);
    const own = new AbortController();
    const { signal, abort } = context();
    const sending = { signal: own.signal };
    await (await run({ signal }, () => rig.send(chat, { limiter: purse, price: unitPrice }, sending))).text();
    expect(purse.reserved[0]?.options.signal?.aborted).toBe(false);
    rig.provider.next({ stallAfter: { contents: 1 } });
    const response = await run({ signal }, () => rig.send(chat, { limiter: purse, price: unitPrice }, sending));
    abort();
    expect(purse.reserved[1]?.options.signal?.reason).toBe(enough);
    await expect(response.text()).rejects.toBe(enough);
  });
});

const clients = [
  ...sdkClientsOf('http://nowhere.test').map(({ name }) => ({ name, by: 'wrapFetch' })),
  ...aiClientsOf('http://nowhere.test').map(({ name }) => ({ name, by: 'the middleware' })),
  ...aiClientsOf('http://nowhere.test').map(({ name }) => ({ name, by: 'both' })),
  { name: 'anthropic: messages', by: "Anthropic's middleware" },
];

describe.each(clients.map(({ name, by }) => [name, by] as const))('%s with %s', (name, by) => {
  const clientOf = (url: string) => {
    const ai = by === 'wrapFetch' ? [] : createAiSdkMiddleware({}, { maxRetries: 0 });
    const own = by === 'wrapFetch' || by === 'both' ? { fetch: wrapFetch(fetch) } : {};
    const anthropic = anthropicMessages(anthropicClient(url, 0, { anthropic: createAnthropicMiddleware() }));
    if (by === "Anthropic's middleware") return anthropic;
    const all = [...sdkClientsOf(url, 0, own), ...aiClientsOf(url, 0, { ai, ...own })];
    return all.find((one) => one.name === name) ?? anthropic;
  };

  test.each([
    ['an answer', false, { latencyMs: forever }],
    ['a stream that has not begun', true, { latencyMs: forever }],
    ['a stream', true, { stallAfter: { contents: 2 } }],
  ] as const)('ends %s with the context', async (_what, stream, behaviour: Behaviour) => {
    const { signal, abort } = context();
    const client = clientOf(rig.provider.url);
    rig.provider.next(behaviour);
    const asking = run({ signal }, () => (stream ? client.stream() : client.complete()));
    const failing = expect(asking).rejects.toThrow();
    await soon(() => rig.provider.counters.open > 0);
    abort();
    await failing;
    await rig.provider.idle();
    await soon(() => calls().length > 0);
    expect(calls()).toMatchObject([{ outcome: 'cancelled' }]);
    expect(openOperations()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

test('telemetry of the AI SDK only looks on', async () => {
  const { signal, abort } = context();
  const telemetry = createAiSdkTelemetry();
  let answer: (made: object) => void = () => {};
  const executing = new Promise<object>((resolve) => {
    answer = resolve;
  });
  const execute = () => executing;
  const calling = run({ signal }, () => telemetry.executeLanguageModelCall({ callId: 'one', execute }));
  abort();
  const made = { content: [], finishReason: 'stop', usage: {} };
  answer(made);
  expect(await calling).toBe(made);
  expect(calls()).toMatchObject([{ outcome: 'ok' }]);
});

function context(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(enough) };
}
