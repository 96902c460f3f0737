/** What is billed though the answer does not say so, or says it elsewhere. */
import { expect, test } from '@jest/globals';
import { createPriceTable, type LlmPolicies, wrapFetch } from '../../src/index.ts';
import { createPurse, createRetries, unitPrice } from '../support/policies.ts';
import { streamed } from '../support/streamed.ts';

const plenty = 1_000_000_000_000n;

function ask(by: typeof fetch, path: string, body: object, policies: LlmPolicies): Promise<Response> {
  return wrapFetch(by, policies)(`https://api.test${path}`, { method: 'POST', body: JSON.stringify(body) });
}

const background = { model: 'gpt-5', input: 'x', background: true, max_output_tokens: 50_000 };

test('an answer that is made in the background', async () => {
  const purse = createPurse(plenty);
  const queued = async (): Promise<Response> => Response.json({ status: 'queued', model: 'gpt-5', usage: null });
  await (await ask(queued, '/v1/responses', background, { limiter: purse, price: unitPrice })).text();
  expect(purse.reserved[0]?.end).toMatchObject({ outputTokens: 50_000 });
});

test('a stream of one whose reader leaves', async () => {
  const purse = createPurse(plenty);
  const named = (type: string, more: object): string => `data: ${JSON.stringify({ type, ...more })}\n\n`;
  const events = [
    named('response.created', { response: { model: 'gpt-5', status: 'queued' } }),
    named('response.output_text.delta', { delta: 'hi' }),
    named('response.output_text.delta', { delta: 'there' }),
  ];
  const by = async (): Promise<Response> => streamed(events);
  const answer = await ask(by, '/v1/responses', { ...background, stream: true }, { limiter: purse, price: unitPrice });
  await answer.body?.cancel();
  expect(purse.reserved[0]?.end).toMatchObject({ outputTokens: 50_000 });
});

test.each([
  ['dearer', '0.004', 'estimate'],
  ['cheaper', '0.0001', 'plain'],
])(
  'a lost try whose prompt may have been written to the cache, where that is %s',
  async (_how, longCacheWrite, paid) => {
    const rates = { input: '0.001', output: 0, cacheWrite: longCacheWrite, longCacheWrite };
    const price = createPriceTable({ prices: { anthropic: { 'claude-sonnet-4-5': rates } } });
    const purse = createPurse(plenty);
    let isFirst = true;
    const by = async (): Promise<Response> => {
      if (!isFirst) return Response.json({ usage: { input_tokens: 1, output_tokens: 1 } });
      isFirst = false;
      return streamed(['event: message_start\ndata: {"type":"message_start"}\n\n']);
    };
    const system = [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }];
    const body = { model: 'claude-sonnet-4-5', max_tokens: 9, stream: true, messages: [], system };
    await (await ask(by, '/v1/messages', body, { limiter: purse, price, retry: createRetries(2) })).text();
    const { estimate, end } = purse.reserved[0] ?? {};
    const plain = price.costNanoUsd({
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      usage: { inputTokens: estimate?.inputTokens ?? 0, outputTokens: 0 },
    });
    expect(purse.reserved).toHaveLength(2);
    expect(end).toMatchObject({ costNanoUsd: paid === 'plain' ? plain : estimate?.costNanoUsd });
  },
);

test('an answer that comes later than undici waits for it', async () => {
  const purse = createPurse(plenty);
  const late = async (): Promise<Response> => {
    const cause = Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
    throw new TypeError('fetch failed', { cause });
  };
  const body = { model: 'gpt-5', max_completion_tokens: 5_000, messages: [] };
  await expect(ask(late, '/v1/chat/completions', body, { limiter: purse, price: unitPrice })).rejects.toThrow();
  expect(purse.reserved[0]?.end).toMatchObject({ outputTokens: 5_000 });
});

test('a model that Claude asked for advice is paid', async () => {
  const purse = createPurse(plenty);
  const iterations = [
    { type: 'message', input_tokens: 412, output_tokens: 531 },
    { type: 'advisor_message', model: 'claude-opus-4-6', input_tokens: 823, output_tokens: 1_612 },
  ];
  const usage = { input_tokens: 412, output_tokens: 531, iterations };
  const by = async (): Promise<Response> => Response.json({ model: 'claude-sonnet-4-6', usage });
  const body = { model: 'claude-sonnet-4-6', max_tokens: 4_096, messages: [] };
  await (await ask(by, '/v1/messages', body, { limiter: purse, price: unitPrice })).text();
  expect(purse.reserved[0]?.end).toMatchObject({ inputTokens: 1_235, outputTokens: 2_143 });
});

test.each([
  ['text', (answer: Response) => answer.text()],
  ['JSON', (answer: Response) => answer.json()],
  ['a stream', (answer: Response) => new Response(answer.body).text()],
])('what Anthropic compacts on the way, which the counts at the top leave out, read as %s', async (_way, read) => {
  const purse = createPurse(plenty);
  const iterations = [
    { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500 },
    { type: 'message', input_tokens: 23_000, output_tokens: 1_000 },
  ];
  const usage = { input_tokens: 23_000, output_tokens: 1_000, iterations };
  const by = async (): Promise<Response> => Response.json({ model: 'claude-opus-4-6', usage });
  const body = { model: 'claude-opus-4-6', max_tokens: 4_096, messages: [] };
  await read(await ask(by, '/v1/messages', body, { limiter: purse, price: unitPrice }));
  expect(purse.reserved[0]?.end).toMatchObject({ inputTokens: 203_000, outputTokens: 4_500 });
});
