import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { TaskArtifactUpdateEvent } from '@a2a-js/sdk';
import { DefaultExecutionEventBus, type RequestContext } from '@a2a-js/sdk/server';
import { AnswerArtifact } from '../../src/a2a/answer-artifact.ts';
import { textOf } from '../support/a2a.ts';

let told: TaskArtifactUpdateEvent[];
let bus: DefaultExecutionEventBus;
beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  bus = new DefaultExecutionEventBus();
  bus.on('event', (event) => void (event.kind === 'artifactUpdate' && told.push(event.data)));
});
afterEach(() => void jest.useRealTimers());

const call = { taskId: 'task', contextId: 'context' } as RequestContext;
const texts = () => told.map(({ artifact }) => textOf(artifact?.parts));

test('the first pieces go out as they come, later ones together, none later than a moment', () => {
  const artifact = new AnswerArtifact(call, bus, 2);
  for (const text of ['a', 'b', 'c', 'd']) artifact.add(text);
  expect(texts()).toEqual(['a', 'b']);
  jest.advanceTimersByTime(50);
  expect(texts()).toEqual(['a', 'b', 'cd']);
  artifact.add('e');
  artifact.flush();
  expect(texts()).toEqual(['a', 'b', 'cd', 'e']);
  expect(told.map(({ append }) => append)).toEqual([false, true, true, true]);
  expect(new Set(told.map(({ artifact: { artifactId = '' } = {} }) => artifactId)).size).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('a long answer that comes at once is few pieces, and all of it', () => {
  const artifact = new AnswerArtifact(call, bus, 64);
  const words = Array.from({ length: 4_000 }, (_, n) => `word${n} `);
  for (const word of words) artifact.add(word);
  artifact.flush();
  expect(texts().join('')).toBe(words.join(''));
  expect(told.length).toBeLessThan(75);
});

test('an answer that begins again takes the place of what was told, and of what was not told yet', () => {
  const artifact = new AnswerArtifact(call, bus, 1);
  artifact.add('wrong');
  artifact.add(' start');
  artifact.restart();
  artifact.add('right');
  artifact.flush();
  expect(texts()).toEqual(['wrong', 'right']);
  expect(told.map(({ append }) => append)).toEqual([false, false]);
});
