import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  BasicTracerProvider,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type Span,
} from '@opentelemetry/sdk-trace-base';
import { begin, endOpen, operate, operateStream, run } from '@sage-adk/core';
import { observeTracing } from '../src/index.ts';
import { call, entry, request } from './support/recording.ts';

/** Spans that began and have not ended. */
function watchSpans(decision: SamplingDecision) {
  const open = new Set<Span | ReadableSpan>();
  let begun = 0;
  const sampler: Sampler = { shouldSample: () => ({ decision }), toString: () => 'fixed' };
  const provider = new BasicTracerProvider({
    sampler,
    spanProcessors: [
      {
        onStart(span) {
          begun++;
          open.add(span);
        },
        onEnd: (span) => void open.delete(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  const subscription = observeTracing({ tracer: provider.getTracer('test') });
  return { open, begun: () => begun, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

type Ending = 'returns' | 'throws' | 'is aborted' | 'is left unread' | 'is left half read' | 'is dropped';

/** Work of a request: operations of every form in it, and one that ends in a certain way. */
const works: Readonly<Record<string, (ending: Ending, signal: AbortSignal) => unknown>> = {
  'a call': (ending) => operate('storage.get', entry('n'), () => conclude(ending)),
  'a call that waits': (ending, signal) =>
    operate('storage.get', entry('n'), async () => {
      await setImmediate();
      if (ending === 'is aborted') await aborted(signal);
      return conclude(ending);
    }),
  'a call that nobody ends': (ending, signal) =>
    operate('storage.get', entry('n'), () =>
      ending === 'is aborted' || ending === 'is dropped' ? new Promise(() => {}) : conclude(ending, signal),
    ),
  'a stream': async (ending, signal) => {
    const chunks = operateStream('llm.call', { ...call, stream: true }, async function* () {
      yield 1;
      operate('retry.attempt', { dependency: 'd', attempt: 1 }, () => 1);
      if (ending === 'is aborted') await aborted(signal);
      conclude(ending);
      yield 2;
    });
    if (ending === 'is left unread') return;
    if (ending === 'is dropped') {
      await chunks[Symbol.asyncIterator]().next();
      return;
    }
    for await (const _ of chunks) if (ending === 'is left half read') break;
  },
  'a step with spans in it': (ending, signal) =>
    operate('agent.middleware', { middleware: 'm' }, async () => {
      operate('tool.call', { tool: 't' }, () => 1);
      await setImmediate();
      if (ending === 'is aborted') await aborted(signal);
      return conclude(ending);
    }),
  'a handle': (ending) => {
    const held = begin('a2a.receive', { method: 'SendMessage', stream: true });
    held.run(() => operate('storage.set', entry('n'), () => 1));
    if (ending === 'returns') held.end();
    if (ending === 'throws') held.fail(new Error('refused'));
  },
};
const endings: readonly Ending[] = [
  'returns',
  'throws',
  'is aborted',
  'is left unread',
  'is left half read',
  'is dropped',
];
const matrix = Object.keys(works).flatMap((work) => endings.map((ending) => [work, ending] as const));

describe.each([
  ['sampled', SamplingDecision.RECORD_AND_SAMPLED],
  ['recorded for the tail', SamplingDecision.RECORD],
] as const)('of a request that is %s no span stays open where', (_sampled, decision) => {
  test.each(matrix)('OT1: %s %s', async (work, ending) => {
    using spans = watchSpans(decision);
    const controller = new AbortController();
    const handled = run({ signal: controller.signal }, () =>
      operate('agent.request', request, async () => works[work]?.(ending, controller.signal)),
    ).catch(() => {});
    await setImmediate();
    if (ending === 'is aborted') controller.abort(new Error('the caller went away'));
    await Promise.race([handled, turns(20)]);
    // What nobody will ever end is ended by an abort within two seconds, when it is collected, or at the drain: here, now.
    endOpen();
    await turns(5);
    expect(spans.open.size).toBe(0);
    expect(spans.begun()).toBeGreaterThan(0);
  });
});

function conclude(ending: Ending, signal?: AbortSignal): number {
  signal?.throwIfAborted();
  if (ending === 'throws') throw new Error('refused');
  return 1;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}
