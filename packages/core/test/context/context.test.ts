import { expect, test } from '@jest/globals';
import { type Clock, current, extract, inject, observe, remainingMs, run, systemClock } from '../../src/index.ts';

const at = (ms: number): Clock => ({ ...systemClock, monotonicMs: () => ms });

test('the context flows through awaits and timers, and ends with the call', async () => {
  expect(current()).toBeUndefined();
  await run({ requestId: 'r' }, async () => {
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(current()?.requestId).toBe('r');
  });
  expect(current()).toBeUndefined();
});

test('OL4: a nested context adds to the outer one', () => {
  run({ requestId: 'r', tenant: 't' }, () =>
    run({ userId: 'u', tenant: 'x' }, () => expect(current()).toEqual({ requestId: 'r', tenant: 'x', userId: 'u' })),
  );
});

test('PF10: a nested deadline can only come earlier', () => {
  run({ deadlineMs: 100 }, () => {
    run({ deadlineMs: 200 }, () => expect(remainingMs(at(40))).toBe(60));
    run({ deadlineMs: 50 }, () => expect(remainingMs(at(40))).toBe(10));
    expect(remainingMs(at(150))).toBe(0);
  });
  expect(remainingMs()).toBe(Number.POSITIVE_INFINITY);
});

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])(
  'PF10: a nested deadline of %s lifts none',
  (deadlineMs) => {
    const nested: object = { tenant: 't', deadlineMs };
    run({ deadlineMs: 100 }, () =>
      run(nested, () => {
        expect(remainingMs(at(40))).toBe(60);
        expect(current()?.tenant).toBe('t');
      }),
    );
  },
);

test('OT2: what is injected is extracted on the other side, whatever clocks say', () => {
  const tracing = observe({
    name: 'tracing',
    carrierFields: ['traceparent'],
    inject: (carrier) => void (carrier['traceparent'] = '00-1-2-01'),
  });
  const carrier = run({ requestId: 'r-1', deadlineMs: 1_250 }, () => inject({}, at(1_000)));
  expect(carrier).toEqual({ 'x-request-id': 'r-1', 'x-request-timeout-ms': '250', traceparent: '00-1-2-01' });
  expect(extract(new Headers(carrier), at(90_000))).toEqual({
    requestId: 'r-1',
    deadlineMs: 90_250,
    carrier: { traceparent: '00-1-2-01' },
  });
  expect(extract({ 'X-Request-Id': ['r-2'], traceparent: 'p' }, at(0))).toEqual({
    requestId: 'r-2',
    carrier: { traceparent: 'p' },
  });
  tracing[Symbol.dispose]();
  expect(extract(carrier, at(0)).carrier).toBeUndefined();
});

test.each([['x'.repeat(129)], ['a b'], ['line\nbreak'], ['']])('a malformed request id %j is left out', (requestId) => {
  expect(extract({ 'x-request-id': requestId, 'x-request-timeout-ms': '-1' })).toEqual({});
});

test('what is no text in metadata of a peer is left out, whatever JSON it is', () => {
  using _tracing = observe({ name: 'tracing', carrierFields: ['traceparent', 'baggage'] });
  const metadata = '{"x-request-id":[["r"]],"x-request-timeout-ms":{"0":"5"},"traceparent":{"0":"p"},"baggage":[5]}';
  expect(extract(JSON.parse(metadata) as Record<string, string>)).toEqual({});
});

test('an observer that fails to inject spoils nothing', () => {
  const bad = observe({
    name: 'bad',
    inject: () => {
      throw new Error('x');
    },
  });
  expect(run({ requestId: 'r' }, () => inject({}))).toEqual({ 'x-request-id': 'r' });
  bad[Symbol.dispose]();
});
