import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Task } from '@a2a-js/sdk';
import type { TaskStore } from '@a2a-js/sdk/server';
import { observe } from '@sage-adk/core';
import { createCard } from '../../src/a2a/card.ts';
import { createA2a } from '../../src/a2a/surfaces.ts';
import { createTaskStore, isFinal } from '../../src/a2a/task-store.ts';
import { createIdentify } from '../../src/http/identify.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { createPipeline } from '../../src/http/pipeline.ts';
import type { MessageHandler } from '../../src/messages/handler.ts';
import { type Answer, get, post } from '../support/http.ts';

/** What a database says, and no client may read. */
const inside = 'relation "tasks" does not exist at 10.0.0.7';

const fail = (): Promise<never> => Promise.reject(new Error(inside));

const echo: MessageHandler = async function* ({ text }) {
  yield { type: 'text', text };
  yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: 1 }, model: 'echo' };
};

let server: Listening;
let failures: string[];
let watching: Disposable;
beforeEach(() => {
  failures = [];
  watching = observe({
    name: 'test',
    operations: { 'agent.request': { end: ({ error }) => void failures.push(textOf(error)) } },
  });
});
afterEach(async () => {
  watching[Symbol.dispose]();
  await server.close(1_000);
});

/** Of an error and what is behind it, as a log has it. */
function textOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${textOf(error.cause)}` : '';
}

async function serve(brokenOf: (memory: TaskStore) => Partial<TaskStore>): Promise<void> {
  server = await listen({ host: '127.0.0.1', port: 0, block: 'server' });
  const { url } = server;
  const card = createCard({ name: 'a', version: '1', description: 'a', url, needsKey: false });
  const memory = createTaskStore();
  const tasks: TaskStore = {
    save: memory.save.bind(memory),
    load: memory.load.bind(memory),
    list: memory.list.bind(memory),
    ...brokenOf(memory),
  };
  const surfaces = createA2a({ card, handle: echo, work: (_, task) => task(), tasks });
  const admit = async () => true;
  const options = { surfaces, identify: createIdentify([]), admit, agentId: 'a', timeoutMs: 10_000 };
  server.serve(createPipeline(options).listener);
}

const headers = { 'a2a-version': '1.0', 'x-request-id': 'request-7' };
const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'Hello' }] };

function call(method: string, params: object): Promise<Answer> {
  return post(`${server.url}/a2a/jsonrpc`, { jsonrpc: '2.0', id: 1, method, params }, headers);
}

const ways: readonly [string, () => Promise<Answer>][] = [
  ['GetTask', () => call('GetTask', { id: 'x' })],
  ['SubscribeToTask', () => call('SubscribeToTask', { id: 'x' })],
  ['SendMessage', () => call('SendMessage', { message: { ...message, taskId: 'x' } })],
  ['SendStreamingMessage', () => call('SendStreamingMessage', { message: { ...message, taskId: 'x' } })],
  ['GET tasks/x', () => get(`${server.url}/a2a/rest/tasks/x`, headers)],
  [
    'POST message:stream',
    () => post(`${server.url}/a2a/rest/message:stream`, { message: { ...message, taskId: 'x' } }, headers),
  ],
];

test.each(ways)('%s: what a store says is told as an error inside, with the id to ask for', async (_, send) => {
  await serve(() => ({ load: fail }));
  const { text } = await send();
  expect(text).not.toContain('relation');
  expect(text).toMatch(/Something went wrong.*request-7/);
  expect(failures).toEqual([expect.stringContaining(inside)]);
});

test.each(ways)('%s: and so is what a bug says', async (_, send) => {
  const bug = (): never => {
    throw new TypeError(inside);
  };
  const task = Object.defineProperties({}, { id: { get: bug }, status: { get: bug } }) as Task;
  await serve(() => ({ load: async () => task }));
  const { text } = await send();
  expect(text).not.toContain('relation');
  expect(text).toMatch(/Something went wrong.*request-7/);
  expect(failures).toEqual([expect.stringContaining(inside)]);
});

const streams: readonly [string, () => Promise<Answer>][] = [
  ['SendStreamingMessage', () => call('SendStreamingMessage', { message })],
  ['POST message:stream', () => post(`${server.url}/a2a/rest/message:stream`, { message }, headers)],
];

test.each(streams)('%s: a stream that has begun ends with an error that says no more', async (_, send) => {
  await serve((memory) => ({ save: (task, context) => (isFinal(task) ? fail() : memory.save(task, context)) }));
  const { text } = await send();
  expect(text).toContain('artifactUpdate');
  expect(text).toMatch(/event: error\ndata: .*Something went wrong.*request-7/);
  expect(text).not.toContain('relation');
  expect(failures).toEqual([expect.stringContaining(inside)]);
});

test('the text of a task that could not be kept says no more', async () => {
  let broken = true;
  const save: (memory: TaskStore) => TaskStore['save'] = (memory) => async (task, context) => {
    if (!isFinal(task) || !broken) return memory.save(task, context);
    broken = false;
    return fail();
  };
  await serve((memory) => ({ save: save(memory) }));
  const sent = await call('SendMessage', { message, configuration: { returnImmediately: true } });
  const { id } = sent.json<{ result: { task: { id: string } } }>().result.task;
  let text = '';
  while (!text.includes('TASK_STATE_FAILED')) ({ text } = await call('GetTask', { id }));
  expect(text).not.toContain('relation');
  expect(text).toContain('Something went wrong');
});
