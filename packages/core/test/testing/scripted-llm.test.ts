import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { LlmEvent, LlmMessage, LlmRequest } from '../../src/index.ts';
import { countWords, createFakeClock, createScriptedLlm, type ScriptRule } from '../../src/testing/index.ts';

function ask(...contents: readonly string[]): LlmRequest {
  const messages = contents.map((content, index): LlmMessage => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  return { model: 'asked', messages };
}

async function gather(stream: AsyncIterable<LlmEvent>): Promise<readonly LlmEvent[]> {
  const events: LlmEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** What came before it failed, and the failure. */
async function gatherUntilError(stream: AsyncIterable<LlmEvent>): Promise<readonly [text: string, error: unknown]> {
  let text = '';
  try {
    for await (const event of stream) text += event.type === 'text' ? event.text : '';
    return [text, undefined];
  } catch (error) {
    return [text, error];
  }
}

describe('answers', () => {
  test('without a rule it echoes the last user message', async () => {
    const model = createScriptedLlm();
    expect((await model.complete(ask('one', 'reply', 'two words'))).text).toBe('two words');
    expect((await model.complete({ model: 'm', messages: [] })).text).toBe('');
  });

  test.each<readonly [string, ScriptRule['when'], string, boolean]>([
    ['text it contains, case ignored', 'WEATHER', 'How is the weather?', true],
    ['text it lacks', 'weather', 'How are you?', false],
    ['an expression that matches', /^how/i, 'How are you?', true],
    ['an expression that does not match', /^how/, 'How are you?', false],
    ['a sticky expression, time and again', /how/gy, 'how are you?', true],
    ['a function that says yes', ({ model }) => model === 'asked', 'anything', true],
    ['a function that says no', () => false, 'anything', false],
    ['no condition', undefined, 'anything', true],
  ])('a rule with %s', async (_name, when, text, fits) => {
    const model = createScriptedLlm({ rules: [{ ...(when !== undefined && { when }), answer: 'by rule' }] });
    for (let time = 0; time < 2; time++) expect((await model.complete(ask(text))).text).toBe(fits ? 'by rule' : text);
  });

  test('the first rule that fits answers, as often as it may', async () => {
    const model = createScriptedLlm({
      rules: [
        { when: 'hi', answer: 'first', times: 1 },
        { when: 'hi', answer: 'second', times: 2 },
      ],
    });
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push((await model.complete(ask('hi'))).text);
    expect(answers).toEqual(['first', 'second', 'second', 'hi']);
  });

  test('an answer can refer to the whole conversation and to what matched', async () => {
    const model = createScriptedLlm({
      rules: [
        {
          when: /what is my name/i,
          answer: ({ messages }) => `You are ${/name is (\w+)/.exec(messages[0]?.content ?? '')?.[1]}.`,
        },
        { when: /name is (\w+)/, answer: (_request, { match }) => Promise.resolve(`Hello, ${match?.[1]}.`) },
      ],
    });
    expect((await model.complete(ask('My name is Ada'))).text).toBe('Hello, Ada.');
    expect((await model.complete(ask('My name is Ada', 'Hello, Ada.', 'What is my name?'))).text).toBe('You are Ada.');
  });

  test('usage counts the words of all messages and of the answer', async () => {
    const model = createScriptedLlm({ rules: [{ answer: ' three  words\nhere ' }] });
    const { usage, reason, model: answered } = await model.complete(ask('one two', 'three', 'four'));
    expect([usage, reason, answered]).toEqual([{ inputTokens: 4, outputTokens: 3 }, 'stop', 'asked']);
  });

  test('a script can give usage, reason and tool calls of its own', async () => {
    const call = { id: 'c1', name: 'search', arguments: '{"q": "x"}' };
    const model = createScriptedLlm({
      model: 'answering',
      rules: [
        { when: 'tools', answer: { toolCalls: [call] } },
        { answer: { text: 'a', usage: { outputTokens: 500, cachedInputTokens: 1 }, reason: 'content-filter' } },
      ],
    });
    expect(await model.complete(ask('x'))).toEqual({
      text: 'a',
      reason: 'content-filter',
      usage: { inputTokens: 1, outputTokens: 500, cachedInputTokens: 1 },
      model: 'answering',
    });
    expect(await model.complete(ask('tools'))).toMatchObject({
      text: '',
      toolCalls: [call],
      reason: 'tool-calls',
      usage: { outputTokens: 2 },
    });
  });

  test('maxOutputTokens cuts after so many words and says length', async () => {
    const model = createScriptedLlm({ rules: [{ when: 'pieces', answer: { pieces: ['one two ', 'three four'] } }] });
    expect(await model.complete({ ...ask('a b c d'), maxOutputTokens: 2 })).toMatchObject({
      text: 'a b',
      reason: 'length',
      usage: { outputTokens: 2 },
    });
    expect(await model.complete({ ...ask('a b'), maxOutputTokens: 2 })).toMatchObject({ text: 'a b', reason: 'stop' });
    expect(await model.complete({ ...ask('pieces'), maxOutputTokens: 3 })).toMatchObject({
      text: 'one two three',
      reason: 'length',
    });
  });
});

describe('streams', () => {
  test('come word by word, or by the pieces of the script, and end with the finish', async () => {
    const model = createScriptedLlm({ rules: [{ when: 'pieces', answer: { pieces: ['on', 'e t', 'wo'] } }] });
    const texts = async (request: LlmRequest): Promise<readonly unknown[]> =>
      (await gather(model.stream(request))).map((event) => (event.type === 'text' ? event.text : event.type));
    expect(await texts(ask('one  two\nthree'))).toEqual(['one  ', 'two\n', 'three', 'finish']);
    expect(await texts(ask('pieces'))).toEqual(['on', 'e t', 'wo', 'finish']);
  });

  test('any text comes out as it went in, and the words are counted alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom('a', 'B', ' ', '\n', '\t', 'é', '日') }), async (text) => {
        const events = await gather(createScriptedLlm().stream(ask(text)));
        expect(events.map((event) => (event.type === 'text' ? event.text : '')).join('')).toBe(text);
        expect(events.at(-1)).toMatchObject({ usage: { outputTokens: countWords(text) } });
      }),
    );
  });

  test('keep the pace of the script on the clock', async () => {
    const clock = createFakeClock();
    const model = createScriptedLlm({
      clock,
      pieceDelayMs: 10,
      rules: [{ when: 'slow', answer: { text: 'a b c', delayMs: 100, pieceDelayMs: 50 } }],
    });
    const times = async (request: LlmRequest): Promise<readonly number[]> => {
      const startMs = clock.monotonicMs();
      const seen: number[] = [];
      for await (const _event of model.stream(request)) seen.push(clock.monotonicMs() - startMs);
      return seen;
    };
    const usual = times(ask('a b c'));
    await clock.advanceAsync(1_000);
    expect(await usual).toEqual([0, 10, 20, 20]);
    const slow = times(ask('slow'));
    await clock.advanceAsync(1_000);
    expect(await slow).toEqual([100, 150, 200, 200]);
  });

  test('an abort ends them at once, waiting or not', async () => {
    const clock = createFakeClock();
    const model = createScriptedLlm({ clock, pieceDelayMs: 1_000 });
    const controller = new AbortController();
    const reading = gatherUntilError(model.stream(ask('a b c'), { signal: controller.signal }));
    await clock.advanceAsync(1_500);
    controller.abort('gave up');
    expect(await reading).toEqual(['a b ', 'gave up']);
    expect(clock.pending).toBe(0);
    await expect(model.complete(ask('a'), { signal: controller.signal })).rejects.toBe('gave up');
  });
});

describe('aborting between two reads', () => {
  test.each(['a b', 'stall'])('the next read rejects: %s', async (text) => {
    const model = createScriptedLlm({
      rules: [{ when: 'stall', answer: { text: 'a', fault: { kind: 'stall', afterPieces: 1 } } }],
    });
    const controller = new AbortController();
    const iterator = model.stream(ask(text), { signal: controller.signal })[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    controller.abort('gave up');
    await expect(iterator.next()).rejects.toBe('gave up');
  });

  test('a call that was aborted before it began is no call and uses up no fault', async () => {
    const model = createScriptedLlm();
    model.failNext(new Error('for the next'));
    await expect(model.complete(ask('a'), { signal: AbortSignal.abort('gave up') })).rejects.toBe('gave up');
    expect(model.calls).toBe(0);
    await expect(model.complete(ask('a'))).rejects.toThrow('for the next');
  });
});

describe('faults', () => {
  const overloaded = Object.assign(new Error('overloaded'), { status: 529 });

  test('failNext fails the next calls before their first piece, and then it is well again', async () => {
    const model = createScriptedLlm();
    model.failNext(overloaded, 2);
    await expect(model.complete(ask('a'))).rejects.toBe(overloaded);
    expect(await gatherUntilError(model.stream(ask('a')))).toEqual(['', overloaded]);
    expect((await model.complete(ask('a'))).text).toBe('a');
  });

  test('cutAfter ends a stream without its finish; complete rejects as transient', async () => {
    const model = createScriptedLlm();
    model.cutAfter(2, 2);
    expect(await gather(model.stream(ask('a b c')))).toEqual([
      { type: 'text', text: 'a ' },
      { type: 'text', text: 'b ' },
    ]);
    await expect(model.complete(ask('a b c'))).rejects.toMatchObject({
      code: 'SAGE_TESTING_CUT',
      category: 'transient',
    });
  });

  test('stallAfter stands still until the signal aborts', async () => {
    const model = createScriptedLlm();
    model.stallAfter(1);
    const controller = new AbortController();
    const reading = gatherUntilError(model.stream(ask('a b'), { signal: controller.signal }));
    const still = await Promise.race([reading, new Promise((resolve) => setImmediate(() => resolve('still')))]);
    expect(still).toBe('still');
    controller.abort('gave up');
    expect(await reading).toEqual(['a ', 'gave up']);
  });

  test('a rule can carry its own fault, also beyond the last piece', async () => {
    const model = createScriptedLlm({
      rules: [
        { when: 'early', answer: { text: 'a b c', fault: { kind: 'error', error: overloaded, afterPieces: 1 } } },
        { when: 'late', answer: { text: 'a b c', fault: { kind: 'error', error: overloaded, afterPieces: 99 } } },
        { when: 'cut', answer: { text: 'a', fault: { kind: 'cut', afterPieces: 1 } } },
      ],
    });
    expect(await gatherUntilError(model.stream(ask('early')))).toEqual(['a ', overloaded]);
    expect(await gatherUntilError(model.stream(ask('late')))).toEqual(['a b c', overloaded]);
    expect(await gather(model.stream(ask('cut')))).toEqual([{ type: 'text', text: 'a' }]);
    model.failNext('ordered');
    expect(await gatherUntilError(model.stream(ask('cut')))).toEqual(['', 'ordered']);
  });

  test('faults come in the order in which they were ordered, and heal takes the rest back', async () => {
    const model = createScriptedLlm();
    model.failNext(overloaded);
    model.cutAfter(0, Number.POSITIVE_INFINITY);
    await expect(model.complete(ask('a'))).rejects.toBe(overloaded);
    for (let n = 0; n < 3; n++)
      await expect(model.complete(ask('a'))).rejects.toMatchObject({ code: 'SAGE_TESTING_CUT' });
    model.heal();
    expect((await model.complete(ask('a'))).text).toBe('a');
  });
});

describe('requests', () => {
  test('the latest are kept, as many as asked', async () => {
    const model = createScriptedLlm({ keepRequests: 2 });
    for (const text of ['a', 'b', 'c']) await model.complete(ask(text));
    expect(model.requests).toEqual([ask('b'), ask('c')]);
    expect(model.calls).toBe(3);
  });

  test('a stream that nobody reads is no call', () => {
    const model = createScriptedLlm();
    model.stream(ask('a'));
    expect(model.calls).toBe(0);
  });
});
