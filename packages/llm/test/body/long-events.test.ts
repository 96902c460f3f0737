import { expect, test } from '@jest/globals';
import { recordOperations } from '@sage-adk/core/testing';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { askStream, chatUrl, inPieces, streamed } from '../support/streamed.ts';

const image = 'A'.repeat(5_000_000);

/** An event of the responses API. */
function named(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

test.each([
  ['with an image, tells its usage', image, { inputTokens: 10, outputTokens: 20 }],
  ['that is too long to be looked at, ends the answer all the same', 'A'.repeat(34_000_000), {}],
])('a last event %s', async (_what, result, attributes) => {
  using recorder = recordOperations();
  const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
  const response = { model: 'gpt-5', status: 'completed', output: [{ type: 'image_generation_call', result }], usage };
  const pieces = [
    named('response.created', { response: { model: 'gpt-5' } }),
    named('response.output_text.delta', { delta: 'Hi' }),
    ...inPieces(named('response.completed', { response })),
  ];
  const answer = await wrapFetch(async () => streamed(pieces))('https://api.test/v1/responses', askStream);
  expect(await answer.text()).toHaveLength(pieces.join('').length);
  expect(recorder.named('llm.call')).toMatchObject([{ outcome: 'ok', attributes }]);
});

test.each([image, 'A'.repeat(34_000_000)])('a long event before the one that is hidden passes whole', async (data) => {
  const choice = { index: 0, delta: { content: '', images: [{ image_url: { url: data } }] }, finish_reason: 'stop' };
  const long = `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
  const hidden = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n';
  const cut = long.length - 10;
  const pieces = [...inPieces(long.slice(0, cut)), long.slice(cut) + hidden, 'data: [DONE]\n\n'];
  const answer = await wrapFetch(async () => streamed(pieces))(chatUrl, askStream);
  const text = await answer.text();
  expect([text.length, text.slice(-60)]).toEqual([long.length + 14, `${long}data: [DONE]\n\n`.slice(-60)]);
});
