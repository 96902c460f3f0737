import { describe, expect, test } from '@jest/globals';
import { baggageEntryMetadataFromString, propagation } from '@opentelemetry/api';
import { extract, inject, operate, run } from '@sage-adk/core';
import fc from 'fast-check';
import { formatBaggage, parseBaggage } from '../../src/context/baggage.ts';
import { formatTraceParent, parseTraceParent } from '../../src/context/trace-parent.ts';
import { call, record, request } from '../support/recording.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;

describe('a request that comes with a trace', () => {
  test("OT2: its first span is a child of the caller's, in the caller's trace", () => {
    using recording = record();
    const headers = { TraceParent: traceparent, tracestate: 'vendor=opaque,other=1' };
    run(extract(headers), () => operate('agent.request', request, () => operate('llm.call', call, () => 1)));
    const { parentSpanContext } = recording.span('SendMessage');
    expect(parentSpanContext).toMatchObject({ traceId, spanId, isRemote: true });
    expect(parentSpanContext?.traceState?.serialize()).toBe('vendor=opaque,other=1');
    expect(recording.span('chat m-1').spanContext().traceId).toBe(traceId);
  });

  test("the caller's decision not to sample is followed", () => {
    using recording = record();
    run(extract({ traceparent: `00-${traceId}-${spanId}-00` }), () => operate('agent.request', request, () => 1));
    expect(recording.spans()).toHaveLength(0);
  });

  test('an active span comes before what the request brought', () => {
    using recording = record('a registered SDK');
    recording.tracer.startActiveSpan('http server', (span) => {
      run(extract({ traceparent }), () => operate('agent.request', request, () => 1));
      span.end();
    });
    expect(recording.paths()).toEqual(['http server', 'http server > SendMessage']);
  });

  test.each([
    ['too short', '00-abc-def-01'],
    ['in capitals', traceparent.toUpperCase()],
    ['of all zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['of the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['of version 00 with more behind it', `${traceparent}-more`],
  ])('one that is %s is ignored: a new trace begins', (_name, malformed) => {
    using recording = record();
    run(extract({ traceparent: malformed }), () => operate('agent.request', request, () => 1));
    expect(recording.span('SendMessage').parentSpanContext).toBeUndefined();
  });

  test('one of a later version is read as far as it is known', () => {
    expect(parseTraceParent(`01-${traceId}-${spanId}-01-more`)).toMatchObject({ traceId, spanId, traceFlags: 1 });
  });

  test('anything may come in the fields', () => {
    using _recording = record();
    const field = fc.oneof(
      fc.string({ unit: fc.nat(0x10_ffff).map((point) => String.fromCodePoint(point)) }),
      fc.constant(traceparent),
    );
    fc.assert(
      fc.property(field, field, field, (parent, state, baggage) => {
        const carrier = { traceparent: parent, tracestate: state, baggage };
        const sent = run({ carrier }, () => operate('agent.request', request, () => inject({})));
        expect(sent).toHaveProperty('traceparent', expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/));
      }),
    );
  });
});

describe('a call to another process', () => {
  test('OT2: it takes the active span and the trace state along', () => {
    using recording = record();
    const sent = run(extract({ traceparent, tracestate: 'vendor=opaque' }), () =>
      operate('agent.request', request, () =>
        operate('a2a.send', { method: 'GetTask', stream: false }, () => inject({})),
      ),
    );
    const { spanId: active } = recording.span('GetTask').spanContext();
    expect(sent).toEqual({ traceparent: `00-${traceId}-${active}-01`, tracestate: 'vendor=opaque' });
  });

  test("OT2: two agents, one trace: the callee's request is a child of the caller's call", () => {
    using recording = record();
    const carrier = operate('agent.request', request, () =>
      operate('a2a.send', { method: 'GetTask', stream: false }, () => inject({})),
    );
    run(extract(carrier), () => operate('a2a.receive', { method: 'Received', stream: false }, () => 1));
    expect(recording.paths()).toEqual(['SendMessage', 'SendMessage > GetTask', 'SendMessage > GetTask > Received']);
  });

  test('outside of any span the received fields are handed on', () => {
    using _recording = record();
    const received = extract({ traceparent, baggage: 'a=1', 'x-other': 'no' });
    expect(run(received, () => inject({}))).toEqual({ traceparent, baggage: 'a=1' });
  });

  test("baggage reaches the user's code and goes along", () => {
    using _recording = record('a registered SDK');
    const sent = run(extract({ baggage: 'tenant=acme%20inc;secret,plan=pro' }), () =>
      operate('agent.request', request, () => {
        expect(propagation.getActiveBaggage()?.getEntry('tenant')?.value).toBe('acme inc');
        return inject({});
      }),
    );
    expect(sent).toHaveProperty('baggage', 'tenant=acme%20inc;secret,plan=pro');
  });
});

describe('the fields', () => {
  test('a span context survives writing and reading', () => {
    const hex = (length: number) =>
      fc
        .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
        .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
        .filter((id) => !/^0+$/.test(id));
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (trace, span, traceFlags) => {
        const context = { traceId: trace, spanId: span, traceFlags };
        expect(parseTraceParent(formatTraceParent(context))).toEqual({ ...context, isRemote: true });
      }),
    );
  });

  test('baggage survives writing and reading', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.', '!'), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.string({ unit: 'grapheme', maxLength: 20 }), { maxKeys: 20, noNullPrototype: true }),
        (values) => {
          const entries = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
          const field = formatBaggage(propagation.createBaggage(entries)) ?? '';
          const read = parseBaggage(field)?.getAllEntries() ?? [];
          expect(Object.fromEntries(read.map(([name, { value }]) => [name, value]))).toEqual(values);
        },
      ),
    );
  });

  test.each(['a=1;p=\r\nx-admin: yes', 'a=1;p=é😀', 'a=\n1', 'a=é', 'a=\ud800'])(
    'baggage that no header may hold, such as %j, goes no further, and takes nothing else along',
    (member) => {
      using recording = record();
      const sent = run(extract({ traceparent, baggage: `${member},b=2;q=1` }), () =>
        operate('agent.request', request, () => inject({})),
      );
      expect(sent).toMatchObject({ baggage: 'b=2;q=1', traceparent: expect.stringContaining(traceId) });
      expect(() => new Headers(sent)).not.toThrow();
      expect(recording.spans()).toHaveLength(1);
      const metadata = baggageEntryMetadataFromString(member.slice(4));
      const field = formatBaggage(propagation.createBaggage({ a: { value: '1', metadata } }));
      expect(field).toMatch(/^a=1(;[\t -~]*)?$/);
    },
  );

  test('baggage is bounded on its way in and out, and what is malformed is left out', () => {
    expect(parseBaggage('a'.repeat(9_000))).toBeUndefined();
    expect(parseBaggage('=1,b ad=2,c=%zz,,d')).toBeUndefined();
    expect(parseBaggage(Array.from({ length: 100 }, (_, n) => `k${n}=1`).join(','))?.getAllEntries()).toHaveLength(64);
    const large = propagation.createBaggage({
      first: { value: 'x'.repeat(8_000) },
      second: { value: 'y'.repeat(500) },
      third: { value: 'z' },
    });
    expect(formatBaggage(large)).toMatch(/^first=x+,third=z$/);
  });
});
