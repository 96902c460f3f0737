import { describe, expect, test } from '@jest/globals';
import { defineErrors, isSageError, run, type SageError, systemClock } from '@sage-adk/core';
import { recordOperations } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { createClassifier } from '../../src/index.ts';
import { createFallbackChain, type CutRule, staticResponse, type Target } from '../../src/fallback/index.ts';

const busy = Object.assign(new Error('busy'), { status: 503 });
type Streamer = Target<readonly string[], string, string>;

/** Streams the text of its name from where the input ends, and breaks off where told. */
function streamer(name: string, text: readonly string[], cutAt = Infinity, error: unknown = busy): Streamer {
  return {
    name,
    call: () => text.join(''),
    async *stream(prefix) {
      for (let index = prefix.length; index < text.length; index++) {
        if (index >= cutAt) throw error;
        yield text[index] ?? '';
      }
    },
  };
}

async function read(stream: AsyncIterable<string>): Promise<{ chunks: string[]; error: unknown }> {
  const chunks: string[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, error: undefined };
  } catch (error) {
    return { chunks, error };
  }
}

const nothing: AsyncIterable<never> = { async *[Symbol.asyncIterator]() {} };
const isVisible = (chunk: string): boolean => !chunk.startsWith('#');
const chain = (targets: readonly Streamer[]) =>
  createFallbackChain<readonly string[], string, string>({ name: 'chat', targets });

describe('ER5: a stream of a chain', () => {
  test('changes the target silently before anything was seen, and none of it is shown', async () => {
    using recorded = recordOperations();
    const stream = chain([streamer('a', ['#role', '#think', 'A'], 2), streamer('b', ['#role', 'B', '!'])]).stream([], {
      isVisible,
    });
    expect(stream.served).toBeUndefined();
    expect(await read(stream)).toEqual({ chunks: ['#role', 'B', '!'], error: undefined });
    expect(stream.served).toMatchObject({ servedBy: 'b', tier: 'fallback', attempts: [{ target: 'a' }] });
    expect(recorded.emitted('fallback.used')).toHaveLength(1);
    expect(recorded.named('fallback.step').map(({ start, outcome }) => [start.target, outcome])).toEqual([
      ['a', 'error'],
      ['b', 'ok'],
    ]);
  });

  test('an answer with nothing to see, and none at all, are answers', async () => {
    expect(await read(chain([streamer('a', ['#end'])]).stream([], { isVisible }))).toMatchObject({ chunks: ['#end'] });
    expect(await read(chain([streamer('a', [])]).stream([]))).toEqual({ chunks: [], error: undefined });
  });

  test('a target that cannot stream is passed over', async () => {
    const deaf: Streamer = { name: 'deaf', call: () => 'x' };
    expect(await read(chain([deaf, streamer('b', ['B'])]).stream([]))).toMatchObject({ chunks: ['B'] });
  });

  test('ER8: response tiers answer a stream where chunks can be made of them', async () => {
    const options = {
      name: 'chat',
      targets: [streamer('a', ['A'], 0)],
      responses: [staticResponse<readonly string[], string>('sorry now')],
    };
    const told = createFallbackChain({ ...options, chunksOf: (value: string) => value.split(' ') }).stream([]);
    expect(await read(told)).toEqual({ chunks: ['sorry', 'now'], error: undefined });
    expect(told.served).toMatchObject({ tier: 'static', degraded: true });
    expect(await read(createFallbackChain(options).stream([]))).toMatchObject({
      error: { code: 'SAGE_FALLBACK_NO_TARGET' },
    });
  });

  test('ER25: a target whose stream broke off is asked once more when no other is left, one that refused is not', async () => {
    const cuts = { a: [1, Infinity], b: [2, 2] };
    const asked: string[] = [];
    const target = (name: 'a' | 'b', error: unknown = busy): Streamer => ({
      ...streamer(name, []),
      async *stream() {
        asked.push(name);
        yield* streamer(name, ['x', 'y', 'z'], cuts[name].shift(), error).stream?.([], { signal }) ?? [];
      },
    });
    const { signal } = new AbortController();
    const options = { isVisible, onCut: { restartWith: '#reset' } };
    const again = await read(chain([target('a'), target('b')]).stream([], options));
    expect(again).toEqual({ chunks: ['x', '#reset', 'x', 'y', '#reset', 'x', 'y', 'z'], error: undefined });
    expect(asked.splice(0)).toEqual(['a', 'b', 'a']);
    cuts.b = [2, 2, 2];
    const lost = await read(chain([target('b')]).stream([], options));
    expect(lost.error).toMatchObject({ code: 'SAGE_FALLBACK_PARTIAL_STREAM', details: { chunks: 4 } });
    expect(asked.splice(0)).toEqual(['b', 'b']);
    const refusal = Object.assign(new Error('refused'), { status: 400, code: 'content_filter' });
    cuts.b = [2];
    await read(chain([target('b', refusal)]).stream([], options));
    expect(asked).toEqual(['b']);
  });

  test('ER8: a response tier answers after a marker to forget what broke off, and never behind the half of an answer', async () => {
    const play = (onCut: CutRule<readonly string[], string>) =>
      read(
        createFallbackChain({
          name: 'chat',
          targets: [streamer('a', ['A', 'B'], 1)],
          responses: [staticResponse<readonly string[], string>('sorry now')],
          chunksOf: (value: string) => value.split(' '),
        }).stream([], { onCut }),
      );
    const restarted = await play({ restartWith: '#reset' });
    expect(restarted).toEqual({ chunks: ['A', '#reset', 'A', '#reset', 'sorry', 'now'], error: undefined });
    for (const onCut of ['throw', { continueWith: () => [] }] as const) {
      const { chunks, error } = await play(onCut);
      expect(new Set(chunks)).toEqual(new Set(['A']));
      expect(isSageError(error, 'SAGE_FALLBACK_PARTIAL_STREAM')).toBe(true);
    }
  });

  test('nothing follows an abort, whatever the cut rule', async () => {
    const controller = new AbortController();
    const left = new DOMException('left', 'AbortError');
    const second = streamer('b', ['B', 'B', 'B']);
    const stream = chain([streamer('a', ['A', 'B', 'C'], 1, left), second]).stream([], {
      signal: controller.signal,
      onCut: { restartWith: '#reset' },
    });
    expect(await read(stream)).toEqual({ chunks: ['A'], error: left });
  });

  test.each(['throw', { restartWith: '#reset' }, { continueWith: () => [] }] as const)(
    'nothing follows an abort that the source tells in words of its own, under the rule %j',
    async (onCut) => {
      const controller = new AbortController();
      const asked: string[] = [];
      const target = (name: string): Streamer => ({
        name,
        call: () => '',
        async *stream() {
          asked.push(name);
          yield name;
          controller.abort('left');
          throw Object.assign(new Error('terminated'), { code: 'ECONNRESET' });
        },
      });
      const stream = chain([target('a'), target('b')]).stream([], { signal: controller.signal, onCut });
      expect(await read(stream)).toEqual({ chunks: ['a'], error: 'left' });
      expect(asked).toEqual(['a']);
    },
  );

  /** Gives its chunks, and then hears nothing any more. */
  const deaf = (name: string, chunks: readonly string[], closed: string[] = []): Streamer => ({
    name,
    call: () => '',
    stream: () => {
      const left = [...chunks];
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            const value = left.shift();
            return value === undefined ? new Promise<never>(() => {}) : Promise.resolve({ value, done: false });
          },
          return: () => (closed.push(name), new Promise<never>(() => {})),
        }),
      };
    },
  });

  test.each([
    ['before anything was seen', [], 'SAGE_FALLBACK_NO_TARGET'],
    ['after', ['A'], 'SAGE_FALLBACK_PARTIAL_STREAM'],
  ])(
    'a target that ignores its signal is left at the deadline of where the stream was made, %s',
    async (_, seen, code) => {
      const closed: string[] = [];
      const asked: string[] = [];
      const second: Streamer = { name: 'b', call: () => '', stream: () => (asked.push('b'), nothing) };
      const stream = run({ deadlineMs: systemClock.monotonicMs() + 15 }, () =>
        chain([deaf('a', seen, closed), second]).stream([]),
      );
      expect(await read(stream)).toMatchObject({ chunks: seen, error: { code } });
      expect([closed, asked]).toEqual([['a'], []]);
    },
  );

  test('a response tier answers where the deadline of a target that ignores it came', async () => {
    const answering = createFallbackChain({
      name: 'chat',
      targets: [deaf('a', ['#role'])],
      responses: [staticResponse<readonly string[], string>('sorry')],
      chunksOf: (value: string) => [value],
    });
    const stream = run({ deadlineMs: systemClock.monotonicMs() + 15 }, () => answering.stream([], { isVisible }));
    expect(await read(stream)).toEqual({ chunks: ['sorry'], error: undefined });
  });

  test.each([[[]], [['A']]])('a target that ignores its signal after %j is left at an abort', async (seen) => {
    const controller = new AbortController();
    const closed: string[] = [];
    const stream = chain([deaf('a', seen, closed), streamer('b', ['B'])]).stream([], { signal: controller.signal });
    const reading = read(stream);
    await new Promise((resolve) => void setImmediate(resolve));
    controller.abort('left');
    expect(await reading).toEqual({ chunks: seen, error: 'left' });
    expect(closed).toEqual(['a']);
  });

  const refusal = Object.assign(new Error('refused'), { status: 400, code: 'content_filter' });
  const forged = defineErrors('STREAMTEST', {
    FORGED: { category: 'critical', status: 401, message: 'The signature is forged.' },
  }).FORGED();
  test.each([
    ['a refused content', refusal],
    ['a security violation', forged],
    ['a bad request', Object.assign(new Error('bad'), { status: 400 })],
    ['a prompt that is too long for all', Object.assign(new Error('long'), { status: 413 })],
  ])('%s goes to nobody else, after something was seen neither', async (_, error) => {
    for (const onCut of ['throw', { restartWith: '#reset' }, { continueWith: () => [] }] as const) {
      const targets = [streamer('a', ['A', 'B'], 1, error), streamer('b', ['B'])];
      const alike = targets.map((target) => ({ ...target, contextWindow: 1_000 }));
      const { chunks, error: told } = await read(chain(alike).stream([], { onCut }));
      expect(chunks).toEqual(['A']);
      expect(told).toMatchObject({ code: 'SAGE_FALLBACK_PARTIAL_STREAM', cause: error });
      const { category } = createClassifier().classify(error);
      expect(createClassifier().classify(told)).toMatchObject({ category, retry: 'no' });
    }
  });

  test('what broke off is transient where a failure of its cause is', async () => {
    const bug = new RangeError('index');
    const categoryOf = async (errors: readonly Error[], onCut: CutRule<readonly string[], string>) => {
      const targets = errors.map((error, index) => streamer(`${index}`, ['A', 'B'], 1, error));
      return ((await read(chain(targets).stream([], { onCut }))).error as SageError).category;
    };
    const restart = { restartWith: '#reset' };
    expect(await categoryOf([busy], 'throw')).toBe('transient');
    expect(await categoryOf([bug], 'throw')).toBe('permanent');
    expect(await categoryOf([busy, bug], restart)).toBe('transient');
    expect(await categoryOf([bug, bug], restart)).toBe('permanent');
  });

  test('another model is asked what one refused where that is allowed, after a marker to forget it', async () => {
    const targets = [streamer('a', ['A', 'B'], 1, refusal), streamer('b', ['C'])];
    const allowed = createFallbackChain<readonly string[], string, string>({
      name: 'chat',
      targets,
      onContentPolicy: 'next',
    });
    const { chunks } = await read(allowed.stream([], { onCut: { restartWith: '#reset' } }));
    expect(chunks).toEqual(['A', '#reset', 'C']);
  });

  test.each(['fail', 'restart', null, {}, { continueWith: 'b' }])('a cut rule that is none is refused: %j', (onCut) => {
    expect(() => chain([streamer('a', ['A'])]).stream([], { onCut: onCut as never })).toThrow('onCut');
  });

  test('a reader that leaves closes the source', async () => {
    let closed = false;
    const source: Streamer = {
      name: 'a',
      call: () => '',
      async *stream() {
        try {
          for (;;) yield 'A';
        } finally {
          closed = true;
        }
      },
    };
    for await (const chunk of chain([source]).stream([])) if (chunk === 'A') break;
    expect(closed).toBe(true);
  });
});

/** More runs for those who have the time: `SAGE_FUZZ_RUNS=100000`. */
const numRuns = Number(process.env['SAGE_FUZZ_RUNS'] ?? 500);

describe('ER5: a stream that breaks off, over all cuts', () => {
  const text = fc.array(fc.constantFrom('#role', '#ping', 'a', 'b', 'c'), { minLength: 1, maxLength: 12 });
  const later = fc.option(fc.nat(12), { nil: Infinity });
  const cut = fc.record({ text, cutAt: fc.nat(12), secondCut: later });
  interface Cuts {
    readonly text: string[];
    readonly cutAt: number;
    readonly secondCut: number;
    readonly lastCut?: number;
  }
  const play = (rule: CutRule<readonly string[], string>, { text, cutAt, secondCut, lastCut = Infinity }: Cuts) => {
    const targets = [streamer('a', text, cutAt), streamer('b', text, secondCut), streamer('c', text, lastCut)];
    return read(chain(targets).stream([], { isVisible, onCut: rule }));
  };

  test('thrown: what was seen is from one target alone, and its end is told', async () => {
    await fc.assert(
      fc.asyncProperty(cut, async (given) => {
        const { chunks, error } = await play('throw', given);
        expect(chunks).toEqual(given.text.slice(0, chunks.length));
        if (chunks.length === given.text.length) expect(error).toBeUndefined();
        else {
          expect(isSageError(error, 'SAGE_FALLBACK_PARTIAL_STREAM')).toBe(true);
          expect(error).toMatchObject({ cause: busy, details: { chunks: chunks.length } });
        }
      }),
      { numRuns },
    );
  }, 600_000);

  test('continued: the whole is seen once, nothing twice and nothing missing', async () => {
    await fc.assert(
      fc.asyncProperty(cut, async (given) => {
        const rule = { continueWith: (_: readonly string[], delivered: readonly string[]) => [...delivered] };
        expect(await play(rule, given)).toEqual({ chunks: given.text, error: undefined });
      }),
      { numRuns },
    );
  }, 600_000);

  test('restarted: after the last marker the whole is seen', async () => {
    await fc.assert(
      fc.asyncProperty(cut, async (given) => {
        const { chunks, error } = await play({ restartWith: '#reset' }, given);
        expect(error).toBeUndefined();
        expect(chunks.slice(chunks.lastIndexOf('#reset') + 1)).toEqual(given.text);
      }),
      { numRuns },
    );
  }, 600_000);

  test("where all break off: each beginning is told, each is one target's alone, and the end is the whole or an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ text, cutAt: fc.nat(12), secondCut: fc.nat(12), lastCut: later }), async (given) => {
        const { chunks, error } = await play({ restartWith: '#reset' }, given);
        const answers = chunks.join(' ').split(/ ?#reset ?/);
        const whole = given.text.join(' ');
        for (const answer of answers) expect(whole.startsWith(answer)).toBe(true);
        if (error === undefined) expect(answers.at(-1)).toBe(whole);
        else {
          expect(answers.at(-1)).toBe('');
          const code = chunks.length > 0 ? 'SAGE_FALLBACK_PARTIAL_STREAM' : 'SAGE_FALLBACK_NO_TARGET';
          expect(isSageError(error, code)).toBe(true);
        }
        // Three targets, each asked once more at most.
        expect(answers.length).toBeLessThanOrEqual(7);
      }),
      { numRuns },
    );
  }, 600_000);
});
