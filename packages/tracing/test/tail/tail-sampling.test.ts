import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ROOT_CONTEXT, type Span, SpanStatusCode, trace as api } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { emit, extract, isSageError, operate, operateStream, run, sources, trace } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import fc from 'fast-check';
import { observeTracing } from '../../src/index.ts';
import { createTailSampling, type TailSamplingOptions } from '../../src/tail/index.ts';
import { call, entry, request } from '../support/recording.ts';

const caller = '00f067aa0ba902b7';
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

function sampleTail(options: Partial<TailSamplingOptions> = {}) {
  const exporter = new InMemorySpanExporter();
  const clock = createFakeClock();
  const tail = createTailSampling({ next: new SimpleSpanProcessor(exporter), samplingRate: 0, clock, ...options });
  const provider = new BasicTracerProvider({ sampler: tail.sampler, spanProcessors: [tail.processor] });
  const tracer = provider.getTracer('test');
  const subscription = observeTracing({ tracer });
  return {
    clock,
    counts: () => tail.counts(),
    sampler: tail.sampler,
    tracer,
    provider,
    spans: () => exporter.getFinishedSpans(),
    names: () => exporter.getFinishedSpans().map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      await provider.shutdown();
    },
  };
}

const get = (namespace: string, work: () => unknown = () => 1) => operate('storage.get', entry(namespace), work);
const fail = (namespace: string) =>
  operate('storage.get', entry(namespace), (operation) => operation.settle('error', new Error('refused')));

describe('of the traces outside of the share', () => {
  test('OT1: one that fails is kept whole, what came before and what comes after the failure', async () => {
    await using tail = sampleTail();
    operate('agent.request', request, () => {
      get('before');
      fail('failing');
      get('after');
    });
    operate('agent.request', request, () => get('fine'));
    expect(tail.names()).toEqual(['get before', 'get failing', 'get after', 'SendMessage']);
    expect(new Set(tail.spans().map((span) => span.attributes['sage.sampling.reason']))).toEqual(new Set(['error']));
    expect(tail.spans().every((span) => span.spanContext().traceFlags === 1)).toBe(true);
    expect(tail.counts()).toMatchObject({ keptError: 1, droppedSampling: 2, heldTraces: 0, heldBytes: 0 });
  });

  test('one in which security was violated is kept, however many events its span has', async () => {
    await using tail = sampleTail();
    operate('agent.request', request, () => {
      emit('security.violation', { kind: 'signature', reason: 'mismatch' });
      for (let n = 0; n < 200; n++) emit('timeout.fired', { operation: 'x', timeoutMs: 1 });
    });
    expect(tail.counts()).toMatchObject({ keptSecurity: 1 });
    expect(tail.spans()[0]?.attributes).toMatchObject({
      'sage.sampling.reason': 'security',
      'sage.security.violation': true,
    });
  });

  test('one that somebody must look at is kept, though it was answered', async () => {
    await using tail = sampleTail();
    operate('agent.request', request, () =>
      emit('error.critical', { source: 'openai', reason: 'authentication', message: 'key revoked' }),
    );
    expect(tail.counts()).toMatchObject({ keptError: 1 });
  });

  test('one whose calls cost too much together is kept', async () => {
    await using tail = sampleTail({ costUsd: 0.01 });
    const spend = (usd: number) =>
      operate('llm.call', call, (operation) => operation.set({ costNanoUsd: BigInt(usd * 1e9) }));
    operate('agent.request', request, () => [0.004, 0.004, 0.004].forEach(spend));
    operate('agent.request', request, () => [0.004, 0.004].forEach(spend));
    expect(tail.spans()).toHaveLength(4);
    expect(tail.counts()).toMatchObject({ keptCost: 1, droppedSampling: 3 });
  });

  test('one with a slow span is kept', async () => {
    await using tail = sampleTail({ slowMs: 50 });
    const startTime = Date.now();
    tail.tracer.startSpan('slow', { startTime }).end(startTime + 50);
    tail.tracer.startSpan('quick', { startTime }).end(startTime + 49);
    expect(tail.names()).toEqual(['slow']);
    expect(tail.counts()).toMatchObject({ keptSlow: 1, droppedSampling: 1 });
  });

  test('one that still runs after the limit is slow by then, and held no longer', async () => {
    await using tail = sampleTail({ slowMs: 50 });
    const root = tail.tracer.startSpan('stream');
    run({}, () => get('other'));
    tail.clock.advance(50);
    get('next');
    expect(tail.counts()).toMatchObject({ keptSlow: 1, heldTraces: 0 });
    root.end();
    expect(tail.names()).toEqual(['stream']);
  });

  test('what a stream does while it is read is held with its request', async () => {
    await using tail = sampleTail();
    const chunks = operateStream('llm.call', call, async function* () {
      yield 1;
      fail('in the stream');
      yield 2;
    });
    await operate('agent.request', request, async () => {
      for await (const _ of chunks);
    });
    expect(tail.counts()).toMatchObject({ keptError: 1, heldTraces: 0 });
    expect(tail.names()).toContain('get in the stream');
  });

  test('it is unsampled to whom it calls and to the log', async () => {
    await using _tail = sampleTail();
    operate('agent.request', request, () => expect(trace()).toMatchObject({ sampled: false }));
  });
});

describe('the share', () => {
  test('passes at once, without a reason on it', async () => {
    await using tail = sampleTail({ samplingRate: 1 });
    operate('agent.request', request, () => {
      get('first');
      expect(tail.names()).toEqual(['get first']);
    });
    expect(tail.spans()[0]?.attributes).not.toHaveProperty('sage.sampling.reason');
    expect(tail.counts()).toMatchObject({ keptHead: 1, droppedSampling: 0 });
  });

  test("OT1: the caller's yes is followed; its no still keeps what fails", async () => {
    await using tail = sampleTail();
    const from = (flags: string, work: () => unknown) =>
      run(extract({ traceparent: `00-${traceId}-${caller}-${flags}` }), () => operate('agent.request', request, work));
    from('01', () => get('yes'));
    from('00', () => get('no'));
    from('00', () => fail('no, but'));
    expect(tail.names()).toEqual(['get yes', 'SendMessage', 'get no, but', 'SendMessage']);
  });

  test('is as large as asked for, and every failing trace comes on top', async () => {
    await using tail = sampleTail({ samplingRate: 0.1 });
    for (let n = 0; n < 2_000; n++) operate('agent.request', request, () => (n % 100 === 0 ? fail('n') : get('n')));
    const { keptHead, keptError } = tail.counts();
    expect(keptHead).toBeGreaterThan(120);
    expect(keptHead).toBeLessThan(290);
    const failed = tail.spans().filter(({ name, status }) => name === 'get n' && status.code === SpanStatusCode.ERROR);
    expect(failed).toHaveLength(20);
    expect(keptError).toBeLessThanOrEqual(20);
  });

  test('below a span of this process that was left out nothing is recorded', async () => {
    await using tail = sampleTail({ samplingRate: 1 });
    const left = api.wrapSpanContext({ traceId, spanId: caller, traceFlags: 0 });
    const { decision } = tail.sampler.shouldSample(api.setSpan(ROOT_CONTEXT, left), traceId, 'x', 0, {}, []);
    expect(decision).toBe(0);
  });
});

describe('late spans', () => {
  /** Leaves something running when its request ends. */
  async function leave(before: () => unknown, after: () => unknown): Promise<void> {
    let late: Promise<unknown> | undefined;
    operate('agent.request', request, () => {
      before();
      late = Promise.resolve().then(after);
    });
    await late;
  }

  test('follow their trace where it was kept', async () => {
    await using tail = sampleTail();
    await leave(
      () => fail('failing'),
      () => get('late'),
    );
    expect(tail.names()).toEqual(['get failing', 'SendMessage', 'get late']);
  });

  test('are dropped and counted where it was dropped', async () => {
    await using tail = sampleTail();
    await leave(
      () => get('fine'),
      () => get('late'),
    );
    expect(tail.spans()).toHaveLength(0);
    expect(tail.counts()).toMatchObject({ droppedSampling: 2, droppedLate: 1 });
  });

  test('that fail are kept alone, and so are those after them', async () => {
    await using tail = sampleTail();
    await leave(
      () => get('fine'),
      () => {
        fail('late');
        get('later');
      },
    );
    expect(tail.names()).toEqual(['get late', 'get later']);
    expect(tail.counts()).toMatchObject({ keptError: 1, droppedSampling: 2 });
  });
});

test('a late span of an earlier request ends nothing of the next one of its trace', async () => {
  await using tail = sampleTail();
  const from = (work: () => unknown) =>
    run(extract({ traceparent: `00-${traceId}-${caller}-00` }), () => operate('agent.request', request, work));
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let late: Promise<unknown> | undefined;
  from(() => {
    late = Promise.resolve().then(() => operate('storage.set', entry('late'), () => gate));
  });
  await setImmediate();
  await from(async () => {
    get('first');
    open();
    await late;
    fail('failing');
  });
  expect(tail.names()).toEqual(['get first', 'get failing', 'SendMessage']);
  expect(tail.counts()).toMatchObject({
    keptError: 1,
    droppedSampling: 1,
    droppedLate: 1,
    heldTraces: 0,
    heldBytes: 0,
  });
});

describe('memory', () => {
  test('is bounded by traces: the oldest makes room and is counted; if it then fails it is kept from there', async () => {
    await using tail = sampleTail({ maxTraces: 2 });
    const open = Array.from({ length: 4 }, (_, n) => tail.tracer.startSpan(`request ${n}`));
    expect(tail.counts()).toMatchObject({ heldTraces: 2 });
    open[0]?.setStatus({ code: SpanStatusCode.ERROR });
    for (const span of open) span.end();
    expect(tail.names()).toEqual(['request 0']);
    expect(tail.counts()).toMatchObject({ droppedMemory: 1, droppedSampling: 2, heldBytes: 0 });
  });

  test('is bounded by bytes, of many traces and of a single one', async () => {
    await using tail = sampleTail({ maxBytes: 50_000 });
    operate('agent.request', request, () => {
      for (let n = 0; n < 500; n++) {
        get(`n-${n}`);
        expect(tail.counts().heldBytes).toBeLessThanOrEqual(50_000);
      }
    });
    expect(tail.counts()).toMatchObject({ heldTraces: 0 });
    expect(tail.counts().droppedMemory).toBe(501);
  });

  test('a trace that never ends is given up after its longest age', async () => {
    await using tail = sampleTail({ slowMs: Number.POSITIVE_INFINITY, maxAgeMs: 1_000 });
    const root = tail.tracer.startSpan('never');
    run({}, () => get('child'));
    tail.clock.advance(1_000);
    await tail.provider.forceFlush();
    expect(tail.counts()).toMatchObject({ heldTraces: 0 });
    root.end();
    expect(tail.counts()).toMatchObject({ droppedAge: 1, droppedSampling: 1 });
  });

  test('what is held at the end is dropped and counted, and so is what comes after it', async () => {
    const tail = sampleTail();
    const [first, second] = [tail.tracer.startSpan('a'), tail.tracer.startSpan('b')];
    expect(
      sources()
        .find(({ name }) => name === 'tracing.tail')
        ?.read(),
    ).toMatchObject({ heldTraces: 2 });
    await tail[Symbol.asyncDispose]();
    first.end();
    second.end();
    expect(tail.counts()).toMatchObject({ heldTraces: 0, heldBytes: 0 });
    expect(sources().some(({ name }) => name === 'tracing.tail')).toBe(false);
  });
});

test('every span that ended is exported, dropped for a reason, or held, whatever happens in which order', async () => {
  const step = fc.record({
    trace: fc.nat(5),
    what: fc.constantFrom('begin', 'child', 'end', 'fail', 'wait'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      await using tail = sampleTail({ maxTraces: 3, maxBytes: 9_000, maxAgeMs: 200, slowMs: 150 });
      const open = new Map<number, Span[]>();
      let ended = 0;
      for (const { trace: n, what } of steps) {
        const spans = open.get(n) ?? [];
        open.set(n, spans);
        if (what === 'begin' || what === 'child') spans.push(tail.tracer.startSpan(what, { root: what === 'begin' }));
        else if (what === 'wait') tail.clock.advance(60);
        else {
          const span = spans.pop();
          if (what === 'fail') span?.setStatus({ code: SpanStatusCode.ERROR });
          span?.end();
          ended += span === undefined ? 0 : 1;
        }
        const counts = tail.counts();
        expect(counts.heldTraces).toBeLessThanOrEqual(3);
        expect(counts.heldBytes).toBeLessThanOrEqual(9_000);
      }
      const { droppedAge, droppedClosed, droppedLate, droppedMemory, droppedSampling, heldTraces } = tail.counts();
      const accounted =
        tail.spans().length + droppedAge + droppedClosed + droppedLate + droppedMemory + droppedSampling;
      expect(accounted).toBeLessThanOrEqual(ended);
      if (heldTraces === 0) expect(accounted).toBe(ended);
    }),
    { numRuns: Number(process.env['SAGE_PROPERTY_RUNS'] ?? 100) },
  );
});

test.each<[string, Partial<TailSamplingOptions>]>([
  ['samplingRate', { samplingRate: 2 }],
  ['slowMs', { slowMs: -1 }],
  ['costUsd', { costUsd: Number.NaN }],
  ['maxTraces', { maxTraces: 0 }],
  ['maxBytes', { maxBytes: 0.5 }],
  ['maxAgeMs', { maxAgeMs: -1 }],
])('refuses a bad %s at once, naming it', (option, options) => {
  try {
    createTailSampling({ next: new SimpleSpanProcessor(new InMemorySpanExporter()), ...options });
    throw new Error('not refused');
  } catch (error) {
    expect(isSageError(error, 'SAGE_CORE_INVALID_OPTION')).toBe(true);
    expect(String(error)).toContain(option);
  }
});
