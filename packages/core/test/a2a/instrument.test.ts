import { type AgentCard, Role } from '@a2a-js/sdk';
import { type Client, ClientFactory } from '@a2a-js/sdk/client';
import { ServerCallContext } from '@a2a-js/sdk/server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { instrumentA2aClient, instrumentA2aHandler } from '../../src/a2a/index.ts';
import { current, type Observer, openOperations, run } from '../../src/index.ts';
import { recorder } from '../operations/support.ts';
import { until } from '../until.ts';
import { message, startAgent } from './agent.ts';

const tracing: Partial<Observer> = {
  inject: (carrier) => void (carrier['traceparent'] = '00-1-2-01'),
  carrierFields: ['traceparent'],
};

let seen: ReturnType<typeof recorder>;
let agent: { card: AgentCard; close(): Promise<void> };
let client: Client;
const inAgent: unknown[] = [];

beforeEach(async () => {
  seen = recorder(tracing);
  inAgent.length = 0;
  agent = await startAgent(() => inAgent.push(current()));
  client = instrumentA2aClient(await new ClientFactory().createFromAgentCard(agent.card));
});

afterEach(async () => {
  await agent.close();
  seen[Symbol.dispose]();
});

const request = (text: string) => ({
  tenant: '',
  message: message(`m-${text}`, Role.ROLE_USER, text),
  configuration: undefined,
  metadata: undefined,
});
const ended = () =>
  seen.ends.map(({ name, start, attributes, outcome }) => ({ name, ...start, ...attributes, outcome }));

describe('A2A over an instrumented client and handler', () => {
  test('a message is an operation on either side', async () => {
    await expect(client.sendMessage(request('hello'))).resolves.toMatchObject({ messageId: 'm-answer' });
    expect(ended()).toEqual([
      { name: 'a2a.receive', method: 'SendMessage', stream: false, messageId: 'm-answer', outcome: 'ok' },
      { name: 'a2a.send', method: 'SendMessage', stream: false, messageId: 'm-answer', outcome: 'ok' },
    ]);
  });

  test('what every object has is no method of the protocol', () => {
    expect(String(client as unknown)).toBe('[object Object]');
    expect(ended()).toEqual([]);
  });

  test('OL4 OT2: the request id, the deadline and the trace reach the other agent', async () => {
    await run({ requestId: 'r-1', deadlineMs: performance.now() + 5_000 }, () => client.sendMessage(request('hello')));
    expect(inAgent).toEqual([
      { requestId: 'r-1', deadlineMs: expect.any(Number), carrier: { traceparent: '00-1-2-01' } },
    ]);
  });

  test('fields of the caller are kept beside ours', async () => {
    const options = { serviceParameters: { 'x-request-id': 'own' } };
    await client.sendMessage(request('hello'), options);
    expect(inAgent).toMatchObject([{ requestId: 'own', carrier: { traceparent: '00-1-2-01' } }]);
    expect(options).toEqual({ serviceParameters: { 'x-request-id': 'own' } });
  });

  test('a stream lasts until its end and knows the task and its state', async () => {
    const events: unknown[] = [];
    for await (const event of client.sendMessageStream(request('task'))) events.push(event);
    expect(events.length).toBeGreaterThan(1);
    expect(ended()).toMatchObject([
      {
        name: 'a2a.receive',
        method: 'SendStreamingMessage',
        stream: true,
        taskState: 'TASK_STATE_COMPLETED',
        outcome: 'ok',
      },
      {
        name: 'a2a.send',
        method: 'SendStreamingMessage',
        stream: true,
        taskState: 'TASK_STATE_COMPLETED',
        taskId: expect.any(String),
        outcome: 'ok',
      },
    ]);
  });

  test('a stream that is left is cancelled, and nothing stays open', async () => {
    for await (const _ of client.sendMessageStream(request('task'))) break;
    expect(ended()).toContainEqual(expect.objectContaining({ name: 'a2a.send', outcome: 'cancelled' }));
    await until(() => openOperations() === 0);
  });

  test('a task that fails is an error, though the call returns', async () => {
    await client.sendMessage(request('fail'));
    expect(ended()).toMatchObject([
      { name: 'a2a.receive', taskState: 'TASK_STATE_FAILED', outcome: 'error' },
      { name: 'a2a.send', taskState: 'TASK_STATE_FAILED', outcome: 'error' },
    ]);
  });

  test('a call that fails is an error with its own error', async () => {
    await expect(client.getTask({ tenant: '', id: 'no-such-task', historyLength: undefined })).rejects.toThrow();
    expect(ended()).toMatchObject([
      { name: 'a2a.receive', method: 'GetTask', outcome: 'error' },
      { name: 'a2a.send', method: 'GetTask', outcome: 'error' },
    ]);
  });

  test('a handler that cannot be changed is instrumented all the same', async () => {
    const frozen = Object.freeze({ name: 'frozen', sendMessage: async () => ({ id: 'task-1' }) });
    const instrumented = instrumentA2aHandler(frozen);
    await expect(instrumented.sendMessage()).resolves.toEqual({ id: 'task-1' });
    expect(instrumented.name).toBe('frozen');
    expect(seen.ends.at(-1)).toMatchObject({ name: 'a2a.receive', outcome: 'ok' });
  });

  test('what is no call passes through', async () => {
    expect(client.transport).toBeDefined();
    await expect(client.getAgentCard()).resolves.toMatchObject({ name: 'test' });
  });

  test('a call that throws before it begins still throws at once', () => {
    const client = instrumentA2aClient({
      createTaskPushNotificationConfig: (_params: object): Promise<void> => {
        throw new Error('not supported');
      },
    });

    expect(() => client.createTaskPushNotificationConfig({})).toThrow('not supported');
    expect(ended()).toMatchObject([{ method: 'CreateTaskPushNotificationConfig', outcome: 'error' }]);
  });

  test('a stream belongs to the context in which it was asked for, wherever it is read', async () => {
    const stream = run({ requestId: 'r-asked' }, () => client.sendMessageStream(request('hello')));
    await run({ requestId: 'r-read' }, async () => {
      for await (const _ of stream);
    });

    expect(inAgent).toMatchObject([{ requestId: 'r-asked' }]);
    expect(seen.ends.map(({ context }) => context?.requestId)).toEqual(['r-asked', 'r-asked']);
  });
});

describe('an instrumented handler', () => {
  const headers = { 'x-request-id': 'r-2', traceparent: '00-3-4-01' };
  const expected = { requestId: 'r-2', carrier: { traceparent: '00-3-4-01' } };
  const contexts: unknown[] = [];
  const bare = {
    getTask: async (_params: object, _context: object) => void contexts.push(current()),
    async *sendMessageStream(_params: object, _context: object): AsyncGenerator<object, void> {
      contexts.push(current());
      yield { payload: { $case: 'message', value: { messageId: 'm' } } };
      contexts.push(current());
    },
  };
  const callAll = async (handler: typeof bare, context: object) => {
    await handler.getTask({}, context);
    for await (const _ of handler.sendMessageStream({}, context));
  };
  beforeEach(() => void (contexts.length = 0));

  test("works and is seen in the context of the caller's fields, streams too", async () => {
    const carrierOf = (context: unknown) => (context as { fields: Record<string, string> }).fields;
    await callAll(instrumentA2aHandler(bare, { carrierOf }), { fields: headers });

    expect(contexts).toEqual([expected, expected, expected]);
    expect(seen.ends.map(({ context }) => context)).toEqual([expected, expected]);
  });

  test("takes the fields that the SDK's servers keep", async () => {
    await callAll(instrumentA2aHandler(bare), new ServerCallContext({ state: new Map([['headers', headers]]) }));

    expect(contexts).toEqual([expected, expected, expected]);
    expect(seen.ends.map(({ context }) => context)).toEqual([expected, expected]);
  });

  test('leaves a context alone that the HTTP layer has made', async () => {
    const context = new ServerCallContext({ state: new Map([['headers', headers]]) });
    await run({ requestId: 'r-own' }, () => callAll(instrumentA2aHandler(bare), context));

    expect(contexts).toEqual([{ requestId: 'r-own' }, { requestId: 'r-own' }, { requestId: 'r-own' }]);
  });

  test('does without fields', async () => {
    for (const context of [undefined, {}, new ServerCallContext()]) {
      await callAll(instrumentA2aHandler(bare), context as object);
    }

    expect(new Set(contexts)).toEqual(new Set([undefined]));
    expect(ended().map(({ outcome }) => outcome)).toEqual(Array.from({ length: 6 }, () => 'ok'));
  });
});
