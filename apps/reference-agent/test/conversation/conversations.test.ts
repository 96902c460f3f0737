import { expect, test } from '@jest/globals';
import { type KeyValueStore, type LlmMessage, observe } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { createConversations } from '../../src/conversation/conversations.ts';
import { createMemoryStore } from '../../src/conversation/memory-store.ts';

const ada = { userId: 'ada', contextId: 'c1' };

function said(...texts: string[]): readonly LlmMessage[] {
  return texts.map((content) => ({ role: 'user', content }));
}

function turnsOf(question: string, answer: string): readonly LlmMessage[] {
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ];
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

test('ten answers at once keep all their turns, each with its question', async () => {
  const conversations = createConversations({ store: createStore() });
  const turns = Array.from({ length: 10 }, (_, n) => turnsOf(`question ${n}`, `answer ${n}`));
  await Promise.all(turns.map((pair) => conversations.append(ada, pair)));
  expect(await conversations.read(ada)).toEqual(turns.flat());
});

test('one write that fails keeps no later one from being made', async () => {
  const store = createStore();
  const conversations = createConversations({ store });
  const [failing] = [
    conversations.append(ada, said('x'.repeat(10), 1n as never)),
    conversations.append(ada, said('two')),
  ];
  await expect(failing).rejects.toThrow();
  await conversations.append(ada, said('three'));
  expect(await conversations.read(ada)).toEqual(said('two', 'three'));
});

test('turns that other processes keep from being written are told of', async () => {
  const told: string[] = [];
  using _watching = observe({ name: 'test', events: { 'error.critical': ({ reason }) => void told.push(reason) } });
  const busy = { ...createStore(), get: async () => undefined, set: async () => undefined } as unknown as KeyValueStore;
  await createConversations({ store: busy }).append(ada, said('one'));
  expect(told).toEqual(['turns_lost']);
});

test('what is kept begins with the user, also where the limit falls between a question and its answer', async () => {
  const conversations = createConversations({ store: createStore(), maxTurns: 3 });
  await conversations.append(ada, turnsOf('one', '1'));
  await conversations.append(ada, turnsOf('two', '2'));
  expect(await conversations.read(ada)).toEqual(turnsOf('two', '2'));
});

test.each([
  ['question', turnsOf('longer than the limit', 'short')],
  ['answer', turnsOf('short', 'longer than the limit')],
])('the newest %s is kept whole, whatever its length; what is older goes first', async (_, long) => {
  const conversations = createConversations({ store: createStore(), maxCharacters: 10 });
  await conversations.append(ada, turnsOf('one', '1'));
  await conversations.append(ada, long);
  expect(await conversations.read(ada)).toEqual(long);
  await conversations.append(ada, turnsOf('two', '2'));
  expect(await conversations.read(ada)).toEqual(turnsOf('two', '2'));
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
