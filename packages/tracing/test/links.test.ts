import { describe, expect, test } from '@jest/globals';
import { operate, run } from '@sage-adk/core';
import { call, entry, record, request } from './support/recording.ts';

/** One try that fails and will be made again, or the last. */
function attempt(dependency: string, n: number, work: () => unknown, again = n < 3) {
  return operate('retry.attempt', { dependency, attempt: n }, (operation) => {
    work();
    if (again) {
      operation.set({ reason: 'unavailable', delayMs: 10 });
      operation.settle('error', new Error('unavailable'));
    }
  });
}
const get = (namespace: string) => () => operate('storage.get', entry(namespace), () => 1);

describe('links', () => {
  test('OT2: the first span of a try links to that of the try before', () => {
    using recording = record();
    operate('llm.call', call, () => {
      for (const n of [1, 2, 3])
        attempt('redis', n, () => {
          get(`try-${n}`)();
          get(`further-${n}`)();
        });
    });
    const linked = (name: string) => recording.span(name).links.map(({ context }) => context.spanId);
    const id = (name: string) => recording.span(name).spanContext().spanId;
    expect(linked('get try-1')).toEqual([]);
    expect(linked('get try-2')).toEqual([id('get try-1')]);
    expect(linked('get try-3')).toEqual([id('get try-2')]);
    expect(linked('get further-2')).toEqual([]);
    expect(recording.span('chat m-1').events.map(({ name }) => name)).toEqual(Array(3).fill('retry.attempt'));
  });

  test('tries outside of any span are traces of their own that are linked, within a request', () => {
    using recording = record();
    run({ requestId: 'r-1' }, () => [1, 2].forEach((n) => attempt('redis', n, get(`try-${n}`))));
    const [first, second] = [recording.span('get try-1'), recording.span('get try-2')];
    expect(second.spanContext().traceId).not.toBe(first.spanContext().traceId);
    expect(second.links[0]?.context).toMatchObject({ traceId: first.spanContext().traceId });
  });

  test('where two calls at a time could be meant, nothing is linked', () => {
    using recording = record();
    operate('agent.request', request, () => {
      attempt('redis', 1, get('a1'));
      attempt('redis', 1, get('b1'));
      attempt('redis', 2, get('a2'));
      attempt('redis', 2, get('b2'));
      attempt('openai', 1, get('c1'));
      attempt('openai', 2, get('c2'));
    });
    expect(recording.span('get a2').links).toEqual([]);
    expect(recording.span('get b2').links).toEqual([]);
    expect(recording.span('get c2').links).toHaveLength(1);
  });

  test('OT2: a dead letter that is handled again links to the request that failed', () => {
    using recording = record();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const origin = `00-${traceId}-00f067aa0ba902b7-01`;
    const replay = (from: string) =>
      operate('dlq.replay', { store: 'redis', queue: 'q' }, (operation) => operation.set({ attempt: 1, origin: from }));
    replay(origin);
    expect(recording.span('dlq.replay').links).toMatchObject([{ context: { traceId, spanId: '00f067aa0ba902b7' } }]);
    expect(recording.span('dlq.replay').spanContext().traceId).not.toBe(traceId);
    replay('not a traceparent');
    expect(recording.spans().at(-1)?.links).toEqual([]);
  });
});
