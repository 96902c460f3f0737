import { strict as assert } from 'node:assert';
import type { LlmCallOptions, LlmEvent, LlmFinish, LlmProvider, LlmRequest } from '../contracts/llm.ts';
import { assertCancelled, type ConformanceCase, settlesWithin } from './conformance-case.ts';

/** A provider to be judged, and what to ask it. */
export interface LlmProviderSubject {
  readonly provider: LlmProvider;
  /** Answered with some text, and the same text each time. */
  readonly request: LlmRequest;
  /** Answered with a first piece of text soon, and with its end not before somebody gives up. */
  readonly slowRequest: LlmRequest;
  /** Milliseconds of real time within which an aborted call must have settled. @default 1000 */
  readonly patienceMs?: number;
}

/** What every `LlmProvider` promises. */
export const llmProviderCases: readonly ConformanceCase<() => Promise<LlmProviderSubject>>[] = [
  llmCase('a complete answer has text, a reason, a model and usage', async ({ provider, request }) => {
    const { text, ...finish } = await provider.complete(request);
    assert.notEqual(text, '');
    checkFinish({ type: 'finish', ...finish });
  }),

  llmCase('a stream ends with one finish, and it is the last event', async ({ provider, request }) => {
    const events = await gather(provider.stream(request));
    assert.equal(events.filter(({ type }) => type === 'finish').length, 1);
    const last = events.at(-1);
    assert.ok(last?.type === 'finish', 'the last event is the finish');
    checkFinish(last);
  }),

  llmCase('stream and complete agree', async ({ provider, request }) => {
    const events = await gather(provider.stream(request));
    const { text, toolCalls = [], ...finish } = await provider.complete(request);
    assert.equal(textOf(events), text);
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : [])),
      toolCalls,
    );
    assert.deepEqual(events.at(-1), { type: 'finish', ...finish });
  }),

  llmCase('a stream can be read again by asking again', async ({ provider, request }) => {
    const first = await gather(provider.stream(request));
    assert.deepEqual(await gather(provider.stream(request)), first);
  }),

  llmCase('calls at the same time do not mix', async ({ provider, request }) => {
    const expected = await gather(provider.stream(request));
    const all = await Promise.all(Array.from({ length: 5 }, () => gather(provider.stream(request))));
    for (const events of all) assert.deepEqual(events, expected);
  }),

  llmCase('the request is not changed', async ({ provider, request }) => {
    const before = JSON.stringify(request);
    await provider.complete(request);
    await gather(provider.stream(request));
    assert.equal(JSON.stringify(request), before);
  }),

  llmCase('a signal that does not abort changes nothing', async ({ provider, request }) => {
    const { signal } = new AbortController();
    assert.deepEqual(await provider.complete(request, { signal }), await provider.complete(request));
  }),

  llmCase('a stream that is left early lets go', async ({ provider, slowRequest, patienceMs = 1_000 }) => {
    const iterator = provider.stream(slowRequest)[Symbol.asyncIterator]();
    await settlesWithin(iterator.next(), patienceMs, 'the first event');
    if (iterator.return !== undefined) await settlesWithin(iterator.return(), patienceMs, 'leaving the stream');
  }),

  llmCase('an aborted signal cancels complete before it starts', async ({ provider, request, patienceMs }) => {
    const signal = AbortSignal.abort();
    await assertCancelled(() => provider.complete(request, { signal }), signal, patienceMs);
  }),

  llmCase('an aborted signal cancels a stream at its first read', async ({ provider, request, patienceMs }) => {
    const signal = AbortSignal.abort();
    await assertCancelled(() => gather(provider.stream(request, { signal })), signal, patienceMs);
  }),

  llmCase('aborting cancels complete while it waits', async ({ provider, slowRequest, patienceMs }) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await assertCancelled(
      () => provider.complete(slowRequest, { signal: controller.signal }),
      controller.signal,
      patienceMs,
    );
  }),

  llmCase('aborting cancels a stream between its events', async ({ provider, slowRequest, patienceMs = 1_000 }) => {
    const controller = new AbortController();
    const options: LlmCallOptions = { signal: controller.signal };
    const iterator = provider.stream(slowRequest, options)[Symbol.asyncIterator]();
    const first = await settlesWithin(iterator.next(), patienceMs, 'the first event');
    assert.equal(first.done, false);
    setImmediate(() => controller.abort());
    await assertCancelled(() => drain(iterator), controller.signal, patienceMs);
  }),
];

function llmCase(
  name: string,
  check: (subject: LlmProviderSubject) => Promise<void>,
): ConformanceCase<() => Promise<LlmProviderSubject>> {
  return { name, run: async (create) => check(await create()) };
}

function checkFinish({ reason, usage, model }: LlmFinish): void {
  assert.ok(['stop', 'length', 'tool-calls', 'content-filter', 'other'].includes(reason), `the reason ${reason}`);
  assert.ok(typeof model === 'string' && model !== '', 'the model that answered');
  for (const [name, count] of Object.entries(usage))
    assert.ok(Number.isSafeInteger(count) && count >= 0, `usage.${name} is ${count}`);
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  assert.ok(inputTokens > 0 && outputTokens > 0, 'an answer with text used tokens');
  assert.ok(cachedInputTokens + cacheWriteTokens <= inputTokens, 'cached and cache writes are parts of the input');
  assert.ok(reasoningTokens <= outputTokens, 'reasoning is a part of the output');
}

async function gather(stream: AsyncIterable<LlmEvent>): Promise<readonly LlmEvent[]> {
  const events: LlmEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function drain(iterator: AsyncIterator<LlmEvent>): Promise<void> {
  for (;;) if ((await iterator.next()).done) return;
}

function textOf(events: readonly LlmEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}
