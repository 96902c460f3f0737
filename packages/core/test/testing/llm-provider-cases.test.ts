import { describe, expect, test } from '@jest/globals';
import type { LlmEvent, LlmFinish, LlmProvider, LlmRequest, LlmResponse } from '../../src/index.ts';
import { createScriptedLlm, llmProviderCases, type LlmProviderSubject } from '../../src/testing/index.ts';
import { failuresOf } from './conformance.ts';

const request: LlmRequest = { model: 'm', messages: [{ role: 'user', content: 'one two three' }] };
const slowRequest: LlmRequest = { model: 'm', messages: [{ role: 'user', content: 'slow' }] };

function scripted(): LlmProvider {
  return createScriptedLlm({
    rules: [{ when: 'slow', answer: { text: 'a b', fault: { kind: 'stall', afterPieces: 1 } } }],
  });
}

function subjectOf(create: () => LlmProvider, patienceMs: number): () => Promise<LlmProviderSubject> {
  return async () => ({ provider: create(), request, slowRequest, patienceMs });
}

/** A provider whose calls go through the overrides. */
function altered(
  override: (good: LlmProvider) => { complete?: LlmProvider['complete']; stream?: LlmProvider['stream'] },
): () => LlmProvider {
  return () => {
    const good = scripted();
    return {
      name: good.name,
      complete: (asked, options) => good.complete(asked, options),
      stream: (asked, options) => good.stream(asked, options),
      ...override(good),
    };
  };
}

function withFinish(change: (finish: LlmFinish) => LlmFinish): () => LlmProvider {
  return altered((good) => ({
    complete: async (asked, options) => {
      const { text, ...finish } = await good.complete(asked, options);
      const { type: _type, ...changed } = change({ type: 'finish', ...finish });
      return { text, ...changed };
    },
    stream: (asked, options) =>
      mapEvents(good.stream(asked, options), (event) => [event.type === 'finish' ? change(event) : event]),
  }));
}

async function* mapEvents(
  events: AsyncIterable<LlmEvent>,
  change: (event: LlmEvent) => readonly LlmEvent[],
): AsyncGenerator<LlmEvent> {
  for await (const event of events) yield* change(event);
}

const broken: Readonly<Record<string, () => LlmProvider>> = {
  'no text': altered((good) => ({
    complete: async (asked, options) => ({ ...(await good.complete(asked, options)), text: '' }),
  })),
  'no usage': withFinish((finish) => ({ ...finish, usage: { inputTokens: 0, outputTokens: 0 } })),
  'usage that is added up wrongly': withFinish((finish) => ({
    ...finish,
    usage: { ...finish.usage, cachedInputTokens: 1_000 },
  })),
  'no model': withFinish((finish) => ({ ...finish, model: '' })),
  'a reason of its own': withFinish((finish) => ({ ...finish, reason: 'end_turn' as 'stop' })),
  'a stream without finish': altered((good) => ({
    stream: (asked, options) =>
      mapEvents(good.stream(asked, options), (event) => (event.type === 'finish' ? [] : [event])),
  })),
  'a finish that is not the last event': altered((good) => ({
    stream: (asked, options) =>
      mapEvents(good.stream(asked, options), (event) =>
        event.type === 'finish' ? [event, { type: 'text', text: '!' }] : [event],
      ),
  })),
  'a stream that loses its last piece': altered((good) => ({
    stream: (asked, options) =>
      mapEvents(good.stream(asked, options), (event) =>
        event.type === 'text' && event.text === 'three' ? [] : [event],
      ),
  })),
  'a stream that works once': altered((good) => {
    let used = false;
    return {
      stream: (asked, options) =>
        mapEvents(good.stream(asked, options), (event) =>
          used && event.type === 'text' ? [] : ((used ||= event.type === 'finish'), [event]),
        ),
    };
  }),
  'text that calls share': altered((good) => {
    let text = '';
    return {
      stream: (asked, options) =>
        mapEvents(good.stream(asked, options), (event) => {
          if (event.type === 'text') text += event.text;
          if (event.type !== 'finish') return [];
          const all = text;
          text = '';
          return [{ type: 'text', text: all }, event];
        }),
    };
  }),
  'the request changed': altered((good) => ({
    complete: (asked, options) => {
      (asked.messages as unknown[]).push({ role: 'assistant', content: 'x' });
      return good
        .complete(asked, options)
        .finally(() => (asked.messages as unknown[]).length > 4 && ((asked.messages as unknown[]).length = 1));
    },
  })),
  'another answer with a signal': altered((good) => ({
    complete: async (asked, options) => {
      const answer: LlmResponse = await good.complete(asked, options);
      return options?.signal === undefined ? answer : { ...answer, text: `${answer.text}!` };
    },
  })),
  'a stream that cannot be left': altered((good) => ({
    stream: (asked, options) => ({
      [Symbol.asyncIterator]: () => {
        const iterator = good.stream(asked, options)[Symbol.asyncIterator]();
        return { next: () => iterator.next(), return: () => new Promise(() => {}) };
      },
    }),
  })),
  'signals ignored': altered((good) => ({
    complete: (asked) => good.complete(asked),
    stream: (asked) => good.stream(asked),
  })),
  'aborts told as an error of its own': altered((good) => ({
    complete: (asked, options) =>
      good.complete(asked, options).catch(() => Promise.reject(new Error('request failed'))),
    stream: (asked, options) => wrapErrors(good.stream(asked, options)),
  })),
  'aborts that end the stream as if it were done': altered((good) => ({
    stream: (asked, options) => untilError(good.stream(asked, options)),
  })),
};

async function* wrapErrors(events: AsyncIterable<LlmEvent>): AsyncGenerator<LlmEvent> {
  try {
    yield* events;
  } catch (cause) {
    throw new Error('request failed', { cause });
  }
}

async function* untilError(events: AsyncIterable<LlmEvent>): AsyncGenerator<LlmEvent> {
  try {
    yield* events;
  } catch {
    // Swallowed, as a careless adapter does.
  }
}

describe('a provider that keeps the contract', () => {
  test.each(llmProviderCases)('$name', ({ run }) => run(subjectOf(scripted, 1_000)));
});

describe('the suite can fail', () => {
  const caught = new Set<string>();

  test.each(Object.entries(broken))('for a provider with this fault: %s', async (_fault, create) => {
    const failed = await failuresOf(llmProviderCases, subjectOf(create, 15));
    for (const name of failed) caught.add(name);
    expect(failed.length).toBeGreaterThan(0);
  });

  test('each of its cases fails for some broken provider', () => {
    expect(llmProviderCases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
});
