/** What hosts do that speak OpenAI's API in their own way. */
import { describe, expect, test } from '@jest/globals';
import { recordOperations } from '@sage-adk/core/testing';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, createRetries, createShelf, unitPrice } from '../support/policies.ts';
import { soon } from '../support/rig.ts';
import { askStream, askWhole, chatPiece, chatUrl, eventsOf, streamed } from '../support/streamed.ts';

test('a thought beside an empty list of calls of tools is content', async () => {
  const thought = { delta: { content: '', reasoning_content: 'hm hm', tool_calls: [] } };
  const events = eventsOf(
    ...Array.from({ length: 40 }, () => chatPiece('', thought)),
    chatPiece('Hi', { delta: { content: 'Hi', tool_calls: [] } }),
    chatPiece('', { finish_reason: 'stop' }),
    '[DONE]',
  );
  const answer = await wrapFetch(async () => streamed(events, { gapMs: 10 }), { stall: { firstContentMs: 300 } })(
    chatUrl,
    askStream,
  );
  expect(await answer.text()).toBe(events.join(''));
});

describe('an error of OpenRouter', () => {
  test('before the first content, with a reason to finish, has its status and is tried again', async () => {
    const choice = { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: 'error' };
    const error = { code: 429, message: 'Rate limited upstream' };
    const events = eventsOf({ id: 'a', model: 'm', error, choices: [choice] }, '[DONE]');
    const retry = createRetries(2);
    const answer = await wrapFetch(async () => streamed(events), { retry })(chatUrl, askStream);
    expect([answer.status, retry.seen.length]).toEqual([429, 2]);
  });

  test.each([
    ['text', (answer: Response) => answer.text()],
    ['JSON', (answer: Response) => answer.json()],
    ['a stream', (answer: Response) => new Response(answer.body).text()],
  ])('in an answer that says 200 is a failure, costs nothing and is not kept, read as %s', async (_way, read) => {
    using recorder = recordOperations();
    const cache = createShelf();
    const purse = createPurse(1_000_000_000n);
    const body = { error: { code: 502, message: 'Provider returned error' } };
    const fetchOf = wrapFetch(async () => Response.json(body), { cache, limiter: purse, price: unitPrice });
    await read(await fetchOf(chatUrl, askWhole));
    await soon(() => purse.reserved[0]?.ends === 1);
    expect([recorder.named('llm.call')[0]?.outcome, cache.kept.size]).toEqual(['error', 0]);
    expect(purse.reserved[0]?.end).toMatchObject({ tokens: 0, costNanoUsd: 0n });
  });
});

test('a stream of two answers is whole when both are', async () => {
  using recorder = recordOperations();
  const cache = createShelf();
  const choice = (index: number, content: string, reason: string | null = null): object =>
    chatPiece(content, { index, finish_reason: reason });
  const half = [choice(0, 'Hi'), choice(1, 'He'), choice(0, '', 'stop'), choice(1, 'll')];
  const ask = { method: 'POST', body: '{"model":"m","messages":[],"n":2,"stream":true}' };
  for (const pieces of [half, [...half, choice(1, '', 'stop')]])
    await (await wrapFetch(async () => streamed(eventsOf(...pieces)), { cache })(chatUrl, ask)).text().catch(() => {});
  await soon(() => cache.kept.size === 1);
  expect(recorder.named('llm.call').map(({ outcome }) => outcome)).toEqual(['error', 'ok']);
});
