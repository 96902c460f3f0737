import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { begin, operate, operateStream } from '@sage-adk/core';
import { call, entry, record, request, type SetUp } from './support/recording.ts';

const setUps: readonly SetUp[] = ['a registered SDK', 'a provider of its own'];

describe.each(setUps)('with %s spans nest', (setUp) => {
  test('in a synchronous call, and after an await', async () => {
    using recording = record(setUp);
    await operate('agent.request', request, async () => {
      operate('storage.get', entry('before'), () => 1);
      await setImmediate();
      await operate('storage.get', entry('outer'), async () => {
        await setImmediate();
        operate('storage.set', entry('inner'), () => 1);
      });
    });
    expect(recording.paths()).toEqual([
      'SendMessage',
      'SendMessage > get before',
      'SendMessage > get outer',
      'SendMessage > get outer > set inner',
    ]);
  });

  test('in a stream, in a stream of that stream, and not in the loop that reads it', async () => {
    using recording = record(setUp);
    const inner = () =>
      operateStream('llm.call', { ...call, model: 'inner' }, async function* () {
        operate('storage.get', entry('in-inner'), () => 1);
        yield 3;
      });
    const outer = () =>
      operateStream('llm.call', { ...call, model: 'outer' }, async function* () {
        await setImmediate();
        yield 1;
        await operate('storage.get', entry('in-outer'), () => setImmediate());
        yield* inner();
      });
    await operate('agent.request', request, async () => {
      for await (const chunk of outer()) operate('storage.set', entry(`loop-${chunk}`), () => 1);
    });
    expect(recording.paths()).toEqual([
      'SendMessage',
      'SendMessage > chat outer',
      'SendMessage > chat outer > chat inner',
      'SendMessage > chat outer > chat inner > get in-inner',
      'SendMessage > chat outer > get in-outer',
      'SendMessage > set loop-1',
      'SendMessage > set loop-3',
    ]);
  });

  test('a stream stays where it was made, wherever it is read', async () => {
    using recording = record(setUp);
    const stream = operate('agent.request', request, () =>
      operateStream('llm.call', call, async function* () {
        operate('storage.get', entry('body'), () => 1);
        yield 1;
      }),
    );
    await operate('agent.request', { ...request, method: 'Other' }, async () => {
      for await (const _ of stream) await setImmediate();
    });
    expect(recording.paths()).toContain('SendMessage > chat m-1 > get body');
  });

  test('in an operation that is held by a handle', async () => {
    using recording = record(setUp);
    const held = begin('agent.request', request);
    await held.run(async () => {
      await setImmediate();
      operate('storage.get', entry('in-held'), () => 1);
    });
    operate('storage.get', entry('beside'), () => 1);
    held.end();
    expect(recording.paths()).toEqual(['get beside', 'SendMessage', 'SendMessage > get in-held']);
  });

  test('in their own request, of many at a time', async () => {
    using recording = record(setUp);
    const handle = (n: number) =>
      operate('agent.request', { ...request, method: `Request${n}` }, async () => {
        for (let turn = n; turn < 6; turn++) await setImmediate();
        await operate('storage.get', entry(`of-${n}`), () => setImmediate());
      });
    await Promise.all([1, 2, 3, 4, 5].map(handle));
    const expected = [1, 2, 3, 4, 5].flatMap((n) => [`Request${n}`, `Request${n} > get of-${n}`]);
    expect(recording.paths()).toEqual(expected);
    expect(new Set(recording.spans().map((span) => span.spanContext().traceId)).size).toBe(5);
  });

  test('a span that has ended before its children is still their parent', async () => {
    using recording = record(setUp);
    let late: Promise<unknown> | undefined;
    operate('agent.request', request, () => {
      late = setImmediate().then(() => operate('storage.get', entry('late'), () => 1));
    });
    await late;
    expect(recording.paths()).toEqual(['SendMessage', 'SendMessage > get late']);
  });
});

test('the spans of a registered SDK nest in ours, and ours in them', async () => {
  using recording = record('a registered SDK');
  await operate('agent.request', request, () =>
    recording.tracer.startActiveSpan('user', async (outer) => {
      await setImmediate();
      operate('storage.get', entry('sessions'), () =>
        recording.tracer.startActiveSpan('deep', (deep) => {
          deep.end();
        }),
      );
      outer.end();
    }),
  );
  expect(recording.paths()).toEqual([
    'SendMessage',
    'SendMessage > user',
    'SendMessage > user > get sessions',
    'SendMessage > user > get sessions > deep',
  ]);
});
