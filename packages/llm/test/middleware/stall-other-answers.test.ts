import { expect, test } from '@jest/globals';
import { recordOperations } from '@sage-adk/core/testing';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { askStream, chatUrl, nothingWithin, streamed } from '../support/streamed.ts';

const stall = { firstContentMs: 50, betweenContentsMs: 50 };

test.each([
  ['an error', Response.json({ error: { message: 'slow down' } }, { status: 429 })],
  ['JSON', Response.json({ model: 'm', choices: [] })],
])('%s in place of a stream waits for its reader', async (_what, response) => {
  using recorder = recordOperations();
  const text = await response.clone().text();
  const answer = await wrapFetch(async () => response, { stall })(chatUrl, askStream);
  await nothingWithin(200);
  expect(await answer.text()).toBe(text);
  expect(recorder.emitted('timeout.fired')).toEqual([]);
});

test('a stream of Gemini that is one list goes on as long as it comes', async () => {
  const part = '{"candidates":[{"content":{"parts":[{"text":"b"}]}}]}';
  const pieces = [`[${part}`, ...Array.from({ length: 20 }, () => `,${part}`), ']'];
  const list = async (): Promise<Response> => streamed(pieces, { gapMs: 10, type: 'application/json; charset=UTF-8' });
  const url = 'https://g.test/v1beta/models/gemini-2.5-flash:streamGenerateContent';
  const answer = await wrapFetch(list, { stall })(url, { method: 'POST', body: '{"contents":[]}' });
  expect(await answer.text()).toBe(pieces.join(''));
});
