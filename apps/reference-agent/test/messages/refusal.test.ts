import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { LlmEvent } from '@sage-adk/core';
import { createRateLimiter } from '@sage-adk/ratelimit';
import { listen, type Listening } from '../../src/http/listen.ts';
import { createPipeline } from '../../src/http/pipeline.ts';
import { refusalOf } from '../../src/limits/refusal.ts';
import { createMessages, messagesPath } from '../../src/messages/surface.ts';
import { eventsIn, post } from '../support/http.ts';

let server: Listening;
beforeEach(async () => {
  server = await listen({ host: '127.0.0.1', port: 0, block: 'server' });
});
afterEach(() => server.close(100));

/** Says a word and then asks a model once more than its limit allows, as a step with tools would. */
async function* saysAWord(): AsyncGenerator<LlmEvent> {
  yield { type: 'text', text: 'One moment. ' };
  const limiter = createRateLimiter({ rules: [{ name: 'calls', scope: 'global', limit: 1, per: 'minute' }] });
  await limiter.check({});
  const decision = await limiter.check({});
  await limiter.close();
  throw refusalOf(decision);
}

test('RL20: a limit that is reached within a stream is told as its last event, with what a denial holds', async () => {
  const messages = createMessages({ handle: saysAWord, work: (_, task) => task() });
  const pipeline = createPipeline({
    surfaces: { byPath: { [messagesPath]: messages }, below: {} },
    identify: () => ({ principal: { kind: 'address', id: '127.0.0.1' } }),
    admit: async () => true,
    agentId: 'test',
    timeoutMs: 60_000,
  });
  server.serve(pipeline.listener);
  const answer = await post(server.url + messagesPath, { text: 'x' }, { accept: 'text/event-stream' });
  expect(answer.status).toBe(200);
  const events = eventsIn(answer);
  expect(events.map(({ name }) => name)).toEqual(['message.started', 'message.delta', 'error']);
  const told = events.at(-1)?.data ?? {};
  expect(Object.keys(told)).toEqual(['error', 'message', 'retry_after', 'limit', 'remaining', 'reset']);
  expect(told).toMatchObject({ error: 'rate_limit_exceeded', limit: 1, remaining: 0 });
});
