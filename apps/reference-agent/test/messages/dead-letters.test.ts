import { expect, test } from '@jest/globals';
import { observe } from '@sage-adk/core';
import { createClosing } from '../../src/closing.ts';
import { parseConfig } from '../../src/config/load.ts';
import { withDeadLetters } from '../../src/messages/dead-letters.ts';
import type { MessageHandler } from '../../src/messages/handler.ts';

test('messages of two users are two letters, whatever their names and ids are put together', async () => {
  const duplicates: (boolean | undefined)[] = [];
  using _watching = observe({
    name: 'test',
    operations: { 'dlq.put': { end: ({ attributes }) => void duplicates.push(attributes.duplicate) } },
  });
  const closing = createClosing();
  const config = parseConfig('recovery:\n  dlq:\n    enabled: true\n', 'test.yaml');
  const failing: MessageHandler = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('away')) }),
  });
  const handle = await withDeadLetters(failing, config, closing);
  const send = async (userId: string, messageId: string) => {
    const subject = { principal: { kind: 'api_key', id: userId } } as const;
    const signal = new AbortController().signal;
    const events = handle({ text: 'x', messageId, contextId: 'c', userId, subject, signal, meter: { llmMs: 0 } });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('away');
  };
  await send('a', 'b/c');
  await send('a/b', 'c');
  await send('a', 'b/c');
  expect(duplicates).toEqual([false, false, true]);
  await closing.close();
});
