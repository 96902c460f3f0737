import { expect, test } from '@jest/globals';
import type { LlmMessage } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createConversations } from '../../src/conversation/conversations.ts';
import { createMemoryStore } from '../../src/conversation/memory-store.ts';

const ada = { userId: 'ada', contextId: 'c1' };

function said(...texts: string[]): readonly LlmMessage[] {
  return texts.map((content) => ({ role: 'user', content }));
}

function createStore(clock = createFakeClock()) {
  return createMemoryStore({ namespace: 'test', clock });
}

test('what was appended is read, in its order', async () => {
  const conversations = createConversations({ store: createStore() });
  await conversations.append(ada, said('one', 'two'));
  await conversations.append(ada, said('three'));
  expect(await conversations.read(ada)).toEqual(said('one', 'two', 'three'));
});

test.each([
  ['another context', { userId: 'ada', contextId: 'c2' }],
  ['another user with the same context', { userId: 'bob', contextId: 'c1' }],
  ['a context that spells the user', { userId: '', contextId: 'ada/c1' }],
])('%s is another conversation', async (_, other) => {
  const conversations = createConversations({ store: createStore() });
  await conversations.append(ada, said('secret'));
  expect(await conversations.read(other)).toEqual([]);
});

test('users and contexts with separators in them stay apart', async () => {
  const conversations = createConversations({ store: createStore() });
  await conversations.append({ userId: 'a/b', contextId: 'c' }, said('secret'));
  expect(await conversations.read({ userId: 'a', contextId: 'b/c' })).toEqual([]);
});

test('two answers at once keep both their turns', async () => {
  const conversations = createConversations({ store: createStore() });
  await Promise.all([conversations.append(ada, said('one')), conversations.append(ada, said('two'))]);
  expect((await conversations.read(ada)).map(({ content }) => content).toSorted()).toEqual(['one', 'two']);
});

test('the oldest turns go when there are too many, or they are too long', async () => {
  const few = createConversations({ store: createStore(), maxTurns: 2 });
  await few.append(ada, said('one', 'two', 'three'));
  expect(await few.read(ada)).toEqual(said('two', 'three'));
  const short = createConversations({ store: createStore(), maxCharacters: 8 });
  await short.append(ada, said('12345', '12345', '123'));
  expect(await short.read(ada)).toEqual(said('12345', '123'));
});

test('a conversation is forgotten an hour after its last message', async () => {
  const clock = createFakeClock();
  const conversations = createConversations({ store: createStore(clock) });
  await conversations.append(ada, said('one'));
  clock.advance(3_599_000);
  await conversations.append(ada, said('two'));
  clock.advance(3_599_000);
  expect(await conversations.read(ada)).toHaveLength(2);
  clock.advance(1_000);
  expect(await conversations.read(ada)).toEqual([]);
});
