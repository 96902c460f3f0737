/** Answers whose header fields do not say what they are, where a stream was asked for. */
import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import type { LlmPolicies } from '../../src/pipeline.ts';
import { useRig } from '../support/rig.ts';
import { anthropic, chat, completions, gemini, responses, type WireCase } from '../support/wires.ts';

const { send, calls } = useRig();

const answers: readonly (readonly [name: string, wire: WireCase, answer: object])[] = [
  ['chat', chat, { model: 'm', choices: [], usage: { prompt_tokens: 12, completion_tokens: 34 } }],
  ['completions', completions, { model: 'm', choices: [], usage: { prompt_tokens: 12, completion_tokens: 34 } }],
  ['responses', responses, { model: 'm', status: 'completed', usage: { input_tokens: 12, output_tokens: 34 } }],
  ['messages', anthropic, { model: 'm', usage: { input_tokens: 12, output_tokens: 34 } }],
  ['generateContent', gemini, { modelVersion: 'm', usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 34 } }],
];

/** An answer without a type. */
function unnamed(...pieces: readonly string[]): Response {
  let next = 0;
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(body) {
        const piece = pieces[next++];
        if (piece === undefined) body.close();
        else body.enqueue(Buffer.from(piece));
      },
    }),
  );
}

const get = (wire: WireCase, pieces: readonly string[], policies?: LlmPolicies) =>
  send(wire, policies, { by: async () => unnamed(...pieces) });

describe.each(answers)('an answer without a type to a stream of %s', (_name, wire, answer) => {
  const text = JSON.stringify(answer);

  test.each([
    ['at once', [text]],
    ['in pieces', text.match(/[^]{1,7}/g) ?? []],
    ['after spaces', [' \r\n', '\t\n ', text, '\n']],
    ['with line breaks in it', [JSON.stringify(answer, null, 2)]],
    ['that is long', [`{"text":"${'long '.repeat(100_000)}",`, text.slice(1)]],
  ])('is read as the JSON that it is: %s', async (_how, pieces) => {
    const response = await get(wire, pieces);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(pieces.join(''));
    expect(calls()).toMatchObject([
      { outcome: 'ok', attributes: { inputTokens: 12, outputTokens: 34, responseModel: 'm' } },
    ]);
  });

  test('has the status of the error that it is', async () => {
    const response = await get(wire, ['{"error":{"code":"rate_limit_exceeded","message":"no"}}']);
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: { message: 'no' } });
    expect(calls()).toMatchObject([{ outcome: 'error', code: 'SAGE_LLM_RATE_LIMITED' }]);
  });
});

test('events without a type are read as such', async () => {
  const usage = { prompt_tokens: 12, completion_tokens: 34 };
  const events = [
    { model: 'm', choices: [{ delta: { content: 'Hi' } }] },
    { choices: [{ delta: {}, finish_reason: 'stop' }] },
    { choices: [], usage },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const response = await get(chat, ['\n', ...events, 'data: [DONE]\n\n']);
  expect(await response.text()).toBe(['\n', ...events.slice(0, 2), 'data: [DONE]\n\n'].join(''));
  expect(calls()).toMatchObject([{ outcome: 'ok', attributes: { inputTokens: 12, outputTokens: 34 } }]);
});

test('what is neither, is an error of fetch as before', async () => {
  await expect(get(chat, ['Hello.'])).rejects.toMatchObject({ code: 'SAGE_LLM_INCOMPLETE' });
});

test('JSON that takes its time is no stream that stalls', async () => {
  const clock = createFakeClock();
  const [, , answer] = answers[0] ?? [];
  const text = JSON.stringify(answer);
  let rest: () => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from(text.slice(0, 9)));
      rest = () => {
        controller.enqueue(Buffer.from(text.slice(9)));
        controller.close();
      };
    },
  });
  const stall = { firstContentMs: 1_000, betweenContentsMs: 1_000, clock };
  const calling = send(chat, { stall }, { by: async () => new Response(body) });
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advanceAsync(5_000);
  rest();
  expect(await (await calling).text()).toBe(text);
  expect(calls()).toMatchObject([{ outcome: 'ok' }]);
});
