import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Message, TaskState } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { startTestAgent, type TestAgent } from './support/agent.ts';
import { type Binding, connect, gather, isTask, say, textOf } from './support/a2a.ts';

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(() => agent.close());

describe.each<Binding>(['JSONRPC', 'HTTP+JSON'])('the official client over %s', (binding) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(agent.urls.agent, binding);
  });

  test('reads a card that names the URL of its binding', async () => {
    const card = await client.getAgentCard();
    const url = card.supportedInterfaces.find(({ protocolBinding }) => protocolBinding === binding)?.url;
    expect(url?.startsWith(agent.urls.agent)).toBe(true);
    expect(client.transport.protocolName).toBe(binding);
  });

  test('sends a message and gets a message back', async () => {
    const reply = (await client.sendMessage(say('Hello'))) as Message;
    expect(isTask(reply)).toBe(false);
    expect(textOf(reply.parts)).toMatch(/^Hello! I am a scripted model/);
    expect(reply.contextId).not.toBe('');
  });

  test('a second message can refer to the first of its context, and to no other', async () => {
    const first = (await client.sendMessage(say('My name is Ada.'))) as Message;
    const known = (await client.sendMessage(say('What is my name?', { contextId: first.contextId }))) as Message;
    const strange = (await client.sendMessage(say('What is my name?'))) as Message;
    expect(textOf(known.parts)).toBe('Your name is Ada.');
    expect(textOf(strange.parts)).toBe('You have not told me your name yet.');
  });

  test('streams a task: the answer token by token, then the completed state; the task is kept', async () => {
    const { kinds, pieces, task, state } = await gather(client.sendMessageStream(say('one two three')));
    expect(kinds).toEqual(['task', ...pieces.map(() => 'artifactUpdate'), 'statusUpdate']);
    expect(pieces.length).toBe(5);
    expect(pieces.join('')).toBe('You said: one two three');
    expect(state).toBe(TaskState.TASK_STATE_COMPLETED);

    const kept = await client.getTask({ tenant: '', id: task?.id ?? '' });
    expect(kept.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(kept.artifacts.map(({ parts }) => parts.length)).toEqual([1]);
    expect(textOf(kept.artifacts[0]?.parts)).toBe('You said: one two three');
    expect(textOf(kept.history[0]?.parts)).toBe('one two three');
  });

  test('lists the tasks of a context', async () => {
    const { task } = await gather(client.sendMessageStream(say('to be listed')));
    const { tasks, totalSize } = await client.listTasks({
      tenant: '',
      contextId: task?.contextId ?? '',
      status: TaskState.TASK_STATE_UNSPECIFIED,
      pageToken: '',
      statusTimestampAfter: undefined,
    });
    expect(tasks.map(({ id }) => id)).toEqual([task?.id]);
    expect(totalSize).toBe(1);
  });

  test('a task that is not there is an error of its own', async () => {
    await expect(client.getTask({ tenant: '', id: 'nothing' })).rejects.toThrow(/Task not found/);
  });
});
