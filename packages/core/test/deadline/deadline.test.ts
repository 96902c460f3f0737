import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { run, verdictOf } from '../../src/index.ts';
import { createDeadline, createTimerWheel } from '../../src/deadline/index.ts';
import { createFakeClock } from '../../src/testing/index.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

function setUp() {
  const clock = createFakeClock();
  const wheel = createTimerWheel({ clock });
  const parent = new AbortController();
  return {
    clock,
    wheel,
    parent,
    startMs: clock.monotonicMs(),
    listeners: () => getEventListeners(parent.signal, 'abort').length,
  };
}

describe('time that is left', () => {
  test('counts down to 0 and stays there', () => {
    const { clock, wheel, startMs } = setUp();
    const deadline = createDeadline({ timeoutMs: 100, clock, wheel });
    expect([deadline.deadlineMs, deadline.remainingMs(), deadline.expired]).toEqual([startMs + 100, 100, false]);
    clock.advance(99);
    expect([deadline.remainingMs(), deadline.expired]).toEqual([1, false]);
    clock.advance(1);
    expect([deadline.remainingMs(), deadline.expired]).toEqual([0, true]);
    clock.advance(50);
    expect(deadline.remainingMs()).toBe(0);
  });

  test('of a timeout, a time and the context, the earliest counts', () => {
    const { clock, startMs } = setUp();
    const at = (options: { timeoutMs?: number; deadlineMs?: number }, contextMs?: number): number => {
      const make = (): number => createDeadline({ ...options, clock }).deadlineMs - startMs;
      return contextMs === undefined ? make() : run({ deadlineMs: startMs + contextMs }, make);
    };
    expect(at({ timeoutMs: 50 })).toBe(50);
    expect(at({ deadlineMs: startMs + 70 })).toBe(70);
    expect(at({ timeoutMs: 50, deadlineMs: startMs + 70 })).toBe(50);
    expect(at({ timeoutMs: 50 }, 20)).toBe(20);
    expect(at({ timeoutMs: 50 }, 80)).toBe(50);
    expect(at({}, 80)).toBe(80);
    expect(at({})).toBe(Number.POSITIVE_INFINITY);
  });

  test('without any deadline it never passes', () => {
    const { clock } = setUp();
    const deadline = createDeadline({ clock });
    clock.advance(1e12);
    expect([deadline.remainingMs(), deadline.expired, deadline.signal.aborted]).toEqual([
      Number.POSITIVE_INFINITY,
      false,
      false,
    ]);
    expect(clock.pending).toBe(0);
  });

  test('an invalid time is refused by name', () => {
    expect(() => createDeadline({ timeoutMs: -1 })).toThrow('The option timeoutMs is -1');
    expect(() => createDeadline({ deadlineMs: Number.NaN })).toThrow('The option deadlineMs is NaN');
  });
});

describe('signal', () => {
  test('while nobody reads it there is no controller, no timer and no listener', () => {
    const { clock, wheel, parent, listeners } = setUp();
    const made = jest.spyOn(globalThis, 'AbortController');
    const deadline = createDeadline({ timeoutMs: 10, parent: parent.signal, clock, wheel });
    deadline.remainingMs();
    clock.advance(100);
    expect(deadline.expired).toBe(true);
    deadline[Symbol.dispose]();
    expect([made.mock.calls.length, wheel.size, clock.pending, listeners()]).toEqual([0, 0, 0, 0]);
  });

  test('it is one signal, and aborts when the deadline passes, not before', () => {
    const { clock, wheel } = setUp();
    const deadline = createDeadline({ timeoutMs: 100, clock, wheel });
    const { signal } = deadline;
    expect(deadline.signal).toBe(signal);
    clock.advance(99);
    expect(signal.aborted).toBe(false);
    clock.advance(11);
    expect([signal.aborted, signal.reason]).toMatchObject([true, { name: 'TimeoutError' }]);
    expect([wheel.size, clock.pending]).toEqual([0, 0]);
  });

  test('read after the deadline it is aborted already', () => {
    const { clock, wheel } = setUp();
    const deadline = createDeadline({ timeoutMs: 0, clock, wheel });
    expect([deadline.signal.reason, wheel.size]).toMatchObject([{ name: 'TimeoutError' }, 0]);
  });

  test('the reason is a TimeoutError of its own that core reads as a timeout', () => {
    const { clock } = setUp();
    const [first, second] = [createDeadline({ timeoutMs: 0, clock }), createDeadline({ timeoutMs: 0, clock })];
    expect(first.signal.reason).toBeInstanceOf(DOMException);
    expect(first.signal.reason).toMatchObject({ name: 'TimeoutError', message: 'The deadline has passed.' });
    expect(first.signal.reason).not.toBe(second.signal.reason);
    expect(verdictOf(first.signal.reason)).toMatchObject({ outcome: 'timeout', category: 'transient' });
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });

  test('fetch rejects with the reason', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { clock } = setUp();
    const { signal } = createDeadline({ timeoutMs: 10, clock });
    const fetching = fetch(`http://127.0.0.1:${port}/`, { signal });
    clock.advance(10);
    await expect(fetching).rejects.toBe(signal.reason);
    server.closeAllConnections();
    server.close();
  });

  test('it aborts with the reason of its parent, and then waits for nothing', () => {
    const { clock, wheel, parent, listeners } = setUp();
    const { signal } = createDeadline({ timeoutMs: 100, parent: parent.signal, clock, wheel });
    expect(listeners()).toBe(1);
    parent.abort('gave up');
    expect([signal.aborted, signal.reason, wheel.size, listeners()]).toEqual([true, 'gave up', 0, 0]);
    clock.advance(1_000);
    expect(signal.reason).toBe('gave up');
  });

  test('a parent that is aborted already is the answer', () => {
    const { clock, wheel, parent } = setUp();
    parent.abort('gave up');
    const deadline = createDeadline({ timeoutMs: 100, parent: parent.signal, clock, wheel });
    expect([deadline.signal.reason, wheel.size]).toEqual(['gave up', 0]);
  });

  test('when the deadline passes the parent is let go', () => {
    const { clock, wheel, parent, listeners } = setUp();
    const { signal } = createDeadline({ timeoutMs: 100, parent: parent.signal, clock, wheel });
    clock.advance(110);
    expect([signal.aborted, listeners()]).toEqual([true, 0]);
  });

  test('without a deadline of its own it is the parent itself', () => {
    const { clock, parent, listeners } = setUp();
    const deadline = createDeadline({ parent: parent.signal, clock });
    expect(deadline.signal).toBe(parent.signal);
    expect(listeners()).toBe(0);
  });

  test('its parent is the signal of the context unless another is given', () => {
    const { clock, wheel, parent } = setUp();
    const [inherited, own] = run({ signal: parent.signal }, (): [AbortSignal, AbortSignal] => [
      createDeadline({ timeoutMs: 100, clock, wheel }).signal,
      createDeadline({ timeoutMs: 100, clock, wheel, parent: new AbortController().signal }).signal,
    ]);
    parent.abort('gave up');
    expect([inherited.reason, own.aborted]).toEqual(['gave up', false]);
  });
});

describe('disposing', () => {
  test('aborts nothing and leaves nothing behind', () => {
    const { clock, wheel, parent, listeners } = setUp();
    const deadline = createDeadline({ timeoutMs: 100, parent: parent.signal, clock, wheel });
    const { signal } = deadline;
    deadline[Symbol.dispose]();
    expect([wheel.size, clock.pending, listeners()]).toEqual([0, 0, 0]);
    clock.advance(1_000);
    parent.abort();
    expect(signal.aborted).toBe(false);
  });

  test('a signal that is first read afterwards sets nothing up', () => {
    const { clock, wheel, parent, listeners } = setUp();
    const deadline = createDeadline({ timeoutMs: 100, parent: parent.signal, clock, wheel });
    deadline[Symbol.dispose]();
    expect([deadline.signal.aborted, wheel.size, listeners()]).toEqual([false, 0, 0]);
  });
});
