import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { begin, endOpen, observe, observerFailures, operate, operateStream, run, trace } from '../../src/index.ts';
import { call, collectUntil, entry, recorder, sweep } from './support.ts';

let seen: ReturnType<typeof recorder>;
beforeEach(() => void (seen = recorder()));
afterEach(() => {
  seen[Symbol.dispose]();
  endOpen();
});

/** An error whose members throw: those of a DOMException ask for the very object. */
const hostile = () => new Proxy(new DOMException('gone', 'AbortError'), {});

test('an error whose members throw reaches the caller as it is, and ends its operation once', async () => {
  const error = hostile();
  const fail = () => {
    throw error;
  };
  let caught: unknown;
  try {
    operate('storage.get', entry, fail);
  } catch (thrown) {
    caught = thrown;
  }
  expect(caught === error).toBe(true);
  expect(seen.last()).toMatchObject({ outcome: 'error', category: 'unknown' });
  await operate('storage.get', entry, async () => fail()).catch((thrown: unknown) => (caught = thrown));
  expect(caught === error).toBe(true);
  expect(seen.last().outcome).toBe('error');
  operate('storage.get', entry, (operation) => operation.settle('denied', error));
  expect(seen.last().outcome).toBe('denied');
});

test('a request that was aborted for such a reason ends as cancelled with the sweep', () => {
  const controller = new AbortController();
  run({ signal: controller.signal }, () => begin('llm.call', call));
  controller.abort(hostile());
  sweep();
  expect(seen.last().outcome).toBe('cancelled');
});

test('a value whose `then` cannot be read is returned as it is', () => {
  const value = Object.defineProperty({}, 'then', {
    get() {
      throw new Error('then');
    },
  });
  expect(operate('storage.get', entry, () => value) === value).toBe(true);
  expect(seen.last().outcome).toBe('ok');
});

test('an iterator that returns results without promises is read as by `for await`', async () => {
  const left = [1, 2];
  const results = {
    [Symbol.asyncIterator]: () => ({ next: () => ({ value: left.shift(), done: left.length === 0 }) }),
  } as unknown as AsyncIterable<number>;
  const items: number[] = [];
  for await (const item of operateStream('llm.call', call, () => results)) items.push(item);
  expect(items).toEqual([1]);
  expect(seen.last().outcome).toBe('ok');
});

test('an observer that throws when it is asked for the trace is counted, and the next one is asked', () => {
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  const before = observerFailures();
  const broken = observe({
    name: 'broken',
    trace: () => {
      throw new Error('trace');
    },
  });
  const tracing = observe({ name: 'tracing', trace: () => ids });
  expect(trace()).toBe(ids);
  for (const subscription of [broken, tracing]) subscription[Symbol.dispose]();
  expect(observerFailures() - before).toBe(1);
});

test('what the sweep ends is told outside of the request whose operation happened to set its timer', async () => {
  // A sweep that is set already was set by a test before.
  await collectUntil(() => !isSweepSet());
  const storage = new AsyncLocalStorage<string>();
  const told: unknown[] = [];
  using _watching = observe({ name: 'telling', operation: () => ({ end: () => void told.push(storage.getStore()) }) });
  const controller = new AbortController();
  storage.run('first request', () => begin('llm.call', call));
  storage.run('second request', () => run({ signal: controller.signal }, () => begin('llm.call', call)));
  controller.abort();
  await collectUntil(() => told.length > 0);
  expect(told).toEqual([undefined]);
});

function isSweepSet(): boolean {
  const shared = (globalThis as unknown as Record<symbol, { sweeper: unknown }>)[Symbol.for('@sage-adk/core/v1')];
  return shared?.sweeper !== undefined;
}
