import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LlmEvent, LlmProvider } from '@sage-adk/core';
import { startTestAgent, type TestAgent } from '../support/agent.ts';

const pieces = 100;
const piece = 'x'.repeat(1024 * 1024);
let given = 0;

const talkative: LlmProvider = {
  name: 'talkative',
  complete: () => Promise.reject(new Error('not asked for')),
  async *stream({ model }): AsyncGenerator<LlmEvent> {
    for (; given < pieces; given++) yield { type: 'text', text: piece };
    yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: pieces }, model };
  },
};

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent('', { provider: talkative });
});
afterAll(() => agent.close());

test('a client that reads slowly holds the model back instead of filling the memory', async () => {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  const sending = request(agent.urls.messages, { method: 'POST', headers }).end('{"text":"tell me everything"}');
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  let stood = -1;
  while (stood !== given) {
    stood = given;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(given).toBeLessThan(pieces / 2);

  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  expect(bytes).toBeGreaterThan(pieces * piece.length);
});
