import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { observe } from '@sage-adk/core';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { post } from '../support/http.ts';

const oneWorker = `
performance:
  concurrency:
    worker_pool_size: 1
rate_limit:
  per_user:
    max_concurrent: 2
`;

let model: ScriptedLlm;
let agent: TestAgent;
beforeEach(async () => {
  model = createScriptedLlm();
  agent = await startTestAgent(oneWorker, { provider: model, timeoutMs: 1_000 });
});
afterEach(() => agent.close());

const version = { 'a2a-version': '1.0' };
const message = (text: string) => ({ message: { messageId: text, role: 'ROLE_USER', parts: [{ text }] } });
const ways: readonly [string, string, (text: string) => object][] = [
  ['SendMessage', 'jsonrpc', (text) => ({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: message(text) })],
  ['message:stream', 'rest/message:stream', message],
];

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test.each(ways)(
  '%s: a message whose client leaves before its turn is never begun, and gives its slot back',
  async (_, path, body) => {
    let waiting = 0;
    using _watching = observe({ name: 'test', operations: { 'queue.wait': { start: () => void waiting++ } } });
    const url = `${agent.urls.agent}/a2a/${path}`;
    model.stallAfter(0);
    const first = post(url, body('first'), version);
    await until(() => model.calls === 1);

    const leaving = new AbortController();
    const left = post(url, body('second'), version, leaving.signal).catch(() => 'left');
    await until(() => waiting === 1);
    leaving.abort();
    expect(await left).toBe('left');

    // Until the agent has seen it leave, both slots are taken.
    await until(async () => (await post(url, body('third'), version)).status === 200);
    expect((await first).text).toContain('TASK_STATE_FAILED');
    expect(model.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(['first', 'third']);
  },
);
