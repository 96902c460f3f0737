import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type StreamResponse, type Task, TaskState } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { createScriptedLlm, type ScriptedLlm } from '@sage-adk/core/testing';
import { startTestAgent, type TestAgent } from '../support/agent.ts';
import { type Binding, connect, gather, isTask, say, textOf } from '../support/a2a.ts';

let model: ScriptedLlm;
let agent: TestAgent;
beforeAll(async () => {
  model = createScriptedLlm({ pieceDelayMs: 10 });
  agent = await startTestAgent('', { provider: model });
});
afterEach(() => model.heal());
afterAll(() => agent.close());

describe.each<Binding>(['JSONRPC', 'HTTP+JSON'])('a task over %s', (binding) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(agent.urls.agent, binding);
  });

  /** Begins a stream and reads its first event, the task. */
  async function begin(text: string, options = {}): Promise<[AsyncGenerator<StreamResponse>, string]> {
    const stream = client.sendMessageStream(say(text), options);
    const { value } = (await stream.next()) as { value: StreamResponse };
    return [stream, value.payload?.$case === 'task' ? value.payload.value.id : ''];
  }

  test('can be cancelled while the model answers', async () => {
    model.stallAfter(1);
    const [stream, id] = await begin('never to end');
    const cancelled = await client.cancelTask({ tenant: '', id, metadata: undefined });
    expect(cancelled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect((await gather(stream)).state).toBe(TaskState.TASK_STATE_CANCELED);
  });

  test('goes on when the client leaves, who may come back for it', async () => {
    const away = new AbortController();
    const [stream, id] = await begin('one two three four five six', { signal: away.signal });
    away.abort();
    await stream.next().catch(() => {});
    const { state } = await gather(client.resubscribeTask({ tenant: '', id }));
    expect(state).toBe(TaskState.TASK_STATE_COMPLETED);
    const task = await client.getTask({ tenant: '', id });
    expect(textOf(task.artifacts[0]?.parts)).toBe('one two three four five six');
  });

  test('can be begun without waiting, and asked for later', async () => {
    const request = say('one two three');
    const begun = (await client.sendMessage({
      ...request,
      configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true },
    })) as Task;
    expect(begun.status?.state).toBe(TaskState.TASK_STATE_WORKING);
    let task = begun;
    while (task.status?.state === TaskState.TASK_STATE_WORKING)
      task = await client.getTask({ tenant: '', id: begun.id });
    expect(textOf(task.artifacts[0]?.parts)).toBe('one two three');
  });

  test('fails with a sentence for the user when the model fails, streamed or not', async () => {
    model.failNext(new Error('internal detail'), 2);
    const reply = (await client.sendMessage(say('x'))) as Task;
    const { task, state } = await gather(client.sendMessageStream(say('x')));
    expect(isTask(reply)).toBe(true);
    expect(state).toBe(TaskState.TASK_STATE_FAILED);
    for (const failed of [reply, await client.getTask({ tenant: '', id: task?.id ?? '' })]) {
      expect(failed.status?.state).toBe(TaskState.TASK_STATE_FAILED);
      expect(textOf(failed.status?.message?.parts)).toBe('The model could not answer. Try again later.');
    }
  });
});
