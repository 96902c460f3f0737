import { describe, expect, test } from '@jest/globals';
import { type ListTasksRequest, type Task, TaskState } from '@a2a-js/sdk';
import { ServerCallContext } from '@a2a-js/sdk/server';
import { createFakeClock } from '@sage-adk/core/testing';
import { createTaskStore } from '../../src/a2a/task-store.ts';
import { part } from '../support/a2a.ts';

const ada = userNamed('ada');

function userNamed(userName: string, tenant = ''): ServerCallContext {
  return new ServerCallContext({ user: { isAuthenticated: true, userName }, tenant });
}

function task(id: string, state = TaskState.TASK_STATE_COMPLETED, fields: Partial<Task> = {}): Task {
  return {
    id,
    contextId: 'context',
    status: { state, message: undefined, timestamp: `2025-01-01T00:00:${id.padStart(2, '0')}.000Z` },
    artifacts: [],
    history: [],
    metadata: undefined,
    ...fields,
  };
}

function listing(fields: Partial<ListTasksRequest> = {}): ListTasksRequest {
  return {
    tenant: '',
    contextId: '',
    status: TaskState.TASK_STATE_UNSPECIFIED,
    pageToken: '',
    statusTimestampAfter: undefined,
    ...fields,
  };
}

describe('a task store', () => {
  test('gives back what it was given, as a copy', async () => {
    const store = createTaskStore();
    const given = task('1', TaskState.TASK_STATE_WORKING, { metadata: { a: [1] } });
    await store.save(given, ada);
    const first = await store.load('1', ada);
    expect(first).toEqual(given);
    first?.history.push({ ...({} as Task['history'][number]) });
    expect((await store.load('1', ada))?.history).toEqual([]);
  });

  test('joins the pieces of a streamed text', async () => {
    const store = createTaskStore();
    const artifact = { artifactId: 'a', name: '', description: '', metadata: undefined, extensions: [] };
    const data = { ...part(''), content: { $case: 'data' as const, value: 1 } };
    await store.save(
      task('1', undefined, { artifacts: [{ ...artifact, parts: [part('a'), part('b'), data, part('c')] }] }),
      ada,
    );
    expect((await store.load('1', ada))?.artifacts[0]?.parts).toEqual([part('ab'), data, part('c')]);
  });

  test.each([
    ['another user', userNamed('bob')],
    ['another tenant', userNamed('ada', 'other')],
    ['nobody', new ServerCallContext()],
  ])('%s sees nothing of a task', async (_, other) => {
    const store = createTaskStore();
    await store.save(task('1'), ada);
    expect(await store.load('1', other)).toBeUndefined();
    expect((await store.list(listing(), other)).tasks).toEqual([]);
  });

  test('forgets the task that finished first when there are too many, and no running one for it', async () => {
    const store = createTaskStore({ maxTasks: 2 });
    await store.save(task('1', TaskState.TASK_STATE_WORKING), ada);
    for (const id of ['2', '3', '4']) await store.save(task(id), ada);
    const left = await store.list(listing(), ada);
    expect(left.tasks.map(({ id }) => id)).toEqual(['4', '3', '1']);
  });

  test('running tasks that never finish are bounded too', async () => {
    const store = createTaskStore({ maxTasks: 2 });
    for (const id of ['1', '2', '3']) await store.save(task(id, TaskState.TASK_STATE_WORKING), ada);
    expect((await store.list(listing(), ada)).totalSize).toBe(2);
  });

  test('forgets the oldest when they are too large together', async () => {
    const store = createTaskStore({ maxBytes: 5_000 });
    const metadata = { text: 'x'.repeat(2_000) };
    for (const id of ['1', '2', '3']) await store.save(task(id, undefined, { metadata }), ada);
    expect((await store.list(listing(), ada)).tasks.map(({ id }) => id)).toEqual(['3', '2']);
  });

  test('forgets a task an hour after it finished', async () => {
    const clock = createFakeClock();
    const store = createTaskStore({ clock });
    await store.save(task('1'), ada);
    clock.advance(3_599_999);
    expect(await store.load('1', ada)).toBeDefined();
    clock.advance(1);
    expect(await store.load('1', ada)).toBeUndefined();
  });
});

describe('a list of tasks', () => {
  const ids = ['1', '2', '3', '4', '5'];

  test('comes in pages, newest first, each task once', async () => {
    const store = createTaskStore();
    for (const id of ids) await store.save(task(id), ada);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await store.list(listing({ pageSize: 2, pageToken }), ada);
      seen.push(...page.tasks.map(({ id }) => id));
      expect(page.totalSize).toBe(5);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(['5', '4', '3', '2', '1']);
  });

  test('is filtered by context, state and time', async () => {
    const store = createTaskStore();
    for (const id of ids) await store.save(task(id), ada);
    await store.save(task('6', TaskState.TASK_STATE_FAILED), ada);
    await store.save(task('7', undefined, { contextId: 'other' }), ada);
    const found = async (fields: Partial<ListTasksRequest>) =>
      (await store.list(listing(fields), ada)).tasks.map(({ id }) => id);
    expect(await found({ contextId: 'other' })).toEqual(['7']);
    expect(await found({ status: TaskState.TASK_STATE_FAILED })).toEqual(['6']);
    expect(await found({ statusTimestampAfter: '2025-01-01T00:00:05.000Z' })).toEqual(['7', '6']);
  });

  test('leaves the artifacts out unless they are asked for', async () => {
    const store = createTaskStore();
    const artifacts = [
      { artifactId: 'a', name: '', description: '', parts: [part('x')], metadata: undefined, extensions: [] },
    ];
    await store.save(task('1', undefined, { artifacts }), ada);
    expect((await store.list(listing(), ada)).tasks[0]?.artifacts).toEqual([]);
    expect((await store.list(listing({ includeArtifacts: true }), ada)).tasks[0]?.artifacts).toHaveLength(1);
  });

  test('a token that is not ours gives an empty page', async () => {
    const store = createTaskStore();
    for (const id of ids) await store.save(task(id), ada);
    expect((await store.list(listing({ pageToken: '!!' }), ada)).tasks).toEqual([]);
  });
});
