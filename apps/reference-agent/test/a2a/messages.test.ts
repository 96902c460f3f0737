import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Message, Role, type Task, TaskState } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import type { LlmProvider } from '@sage-adk/core';
import { createScriptedLlm } from '@sage-adk/core/testing';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { type Binding, connect, gather, part, say, textOf } from '../support/a2a.ts';

const model = createScriptedLlm();
/** The model answers once this is resolved. */
let gate: Promise<void> = Promise.resolve();
const gated: LlmProvider = {
  ...model,
  name: 'gated',
  async *stream(request, options) {
    const events = model.stream(request, options);
    await gate;
    yield* events;
  },
};

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent('', { provider: gated });
});
afterAll(() => agent.close());

const configuration = { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true };

describe.each<Binding>(['JSONRPC', 'HTTP+JSON'])('a message over %s', (binding) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(agent.urls.agent, binding);
  });

  test('to a task that is being answered is refused, and the answer stays whole and is paid once', async () => {
    const calls = model.calls;
    const { promise, resolve: open } = Promise.withResolvers<void>();
    gate = promise;
    const task = (await client.sendMessage({ ...say('one two three'), configuration })) as Task;
    const second = say('four', { taskId: task.id, contextId: task.contextId });
    await expect(client.sendMessage(second)).rejects.toThrow(/is being answered/);
    await expect(gather(client.sendMessageStream(second))).rejects.toThrow(/is being answered/);

    const rest = client.resubscribeTask({ tenant: '', id: task.id });
    await rest.next();
    open();
    await gather(rest);
    const { status, history, artifacts } = await client.getTask({ tenant: '', id: task.id });
    expect(status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(history.map(({ parts }) => textOf(parts))).toEqual(['one two three']);
    expect(textOf(artifacts[0]?.parts)).toBe('one two three');
    expect(model.calls - calls).toBe(1);
  });

  test.each<[string, Partial<Message>]>([
    ['no parts', { parts: [] }],
    ['an empty text', { parts: [part('')] }],
    ['nothing but data', { parts: [{ ...part(''), content: { $case: 'data', value: { a: 1 } } }] }],
    ['nothing but a link', { parts: [{ ...part(''), content: { $case: 'url', value: 'https://example.com' } }] }],
    ['the role of an agent', { role: Role.ROLE_AGENT }],
  ])('with %s is refused before a model is paid for it', async (_, fields) => {
    const calls = model.calls;
    await expect(client.sendMessage(say('x', fields))).rejects.toThrow(/has no text|has the role user/);
    await expect(gather(client.sendMessageStream(say('x', fields)))).rejects.toThrow();
    expect(model.calls).toBe(calls);
  });

  test('that refers to tasks which are not there is answered, and writes no line of its own', async () => {
    const written = jest.spyOn(console, 'warn');
    try {
      const referenceTaskIds = ['a\n{"msg":"admin logged in"}', ...Array.from({ length: 100 }, (_, n) => `${n}`)];
      const reply = (await client.sendMessage(say('hello', { referenceTaskIds }))) as Message;
      expect(textOf(reply.parts)).toBe('hello');
      expect(written).not.toHaveBeenCalled();
    } finally {
      written.mockRestore();
    }
  });
});

test('a task whose limits cannot be checked is rejected in those words', async () => {
  const money = 'rate_limit:\n  storage: redis\n  global:\n    max_cost_per_hour: 1\n';
  const priced = 'llm:\n  price:\n    input: 1\n    output: 1\n';
  const away = await startTestAgent(`${money}${priced}redis:\n  url: redis://127.0.0.1:1\n`);
  const client = await connect(away.urls.agent, 'JSONRPC');
  const said: unknown[] = [];
  for await (const { payload } of client.sendMessageStream(say('Hello'))) {
    if (payload?.$case === 'statusUpdate') said.push(payload.value.status?.message);
  }
  await away.close();
  const message = 'Limits cannot be checked now. Try again later.';
  expect(said).toMatchObject([
    { parts: [{ content: { value: message } }], metadata: { error: 'rate_limit_unavailable', message } },
  ]);
});
