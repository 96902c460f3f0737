import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { begin, current, endOpen, openOperations, operateStream, run } from '../../src/index.ts';
import { call, collectUntil, recorder, sweep } from './support.ts';

let seen: ReturnType<typeof recorder>;
beforeEach(() => void (seen = recorder()));
afterEach(() => {
  seen[Symbol.dispose]();
  endOpen();
});

const forever = new Promise<number>(() => {});

function numbers({ fail = false, stall = false } = {}): AsyncIterable<number> {
  return operateStream('llm.call', call, async function* (operation) {
    try {
      for (let number = 0; number < 3; number++) {
        yield number;
        if (fail) throw new Error('mid');
        if (stall) await forever;
      }
      operation.set({ outputTokens: 3 });
    } finally {
      operation.set({ inputTokens: 1 });
    }
  });
}

async function readAll<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('an observed stream', () => {
  test('gives the same items and ends with the iterator', async () => {
    await expect(readAll(numbers())).resolves.toEqual([0, 1, 2]);
    expect(seen.last()).toMatchObject({ outcome: 'ok', attributes: { outputTokens: 3, inputTokens: 1 } });
  });

  test('that is never read never began', async () => {
    numbers();
    await numbers()[Symbol.asyncIterator]().return?.();
    expect(seen.starts).toEqual([]);
    expect(seen.ends).toEqual([]);
  });

  test('that is left early is cancelled, after the source has cleaned up', async () => {
    for await (const _ of numbers()) break;
    expect(seen.last()).toMatchObject({ outcome: 'cancelled', attributes: { inputTokens: 1 } });
  });

  test('that fails gives its error', async () => {
    await expect(readAll(numbers({ fail: true }))).rejects.toThrow('mid');
    expect(seen.last().outcome).toBe('error');
  });

  test('whose consumer throws is cancelled', async () => {
    await expect(
      (async () => {
        for await (const _ of numbers()) throw new Error('consumer');
      })(),
    ).rejects.toThrow('consumer');
    expect(seen.last().outcome).toBe('cancelled');
  });

  test('that cannot even be opened fails once and is then over', async () => {
    const broken = operateStream('llm.call', call, () => {
      throw new Error('no stream');
    })[Symbol.asyncIterator]();
    await expect(broken.next()).rejects.toThrow('no stream');
    expect(seen.last().outcome).toBe('error');
    await expect(broken.next()).resolves.toMatchObject({ done: true });
  });

  test('runs in the context of the call, wherever it is read', async () => {
    const stream = run({ requestId: 'made here' }, () =>
      operateStream('llm.call', call, async function* () {
        yield current()?.requestId;
        await Promise.resolve();
        yield current()?.requestId;
      }),
    );
    await expect(run({ requestId: 'read here' }, () => readAll(stream))).resolves.toEqual(['made here', 'made here']);
    expect(seen.last().context?.requestId).toBe('made here');
  });

  test('works under ReadableStream.from and ends when that is cancelled', async () => {
    const reader = ReadableStream.from(numbers()).getReader();
    await reader.read();
    await reader.cancel();
    expect(seen.last().outcome).toBe('cancelled');
  });
});

describe('a stream that nobody finishes', () => {
  test('ends within a sweep after its context was aborted', async () => {
    const controller = new AbortController();
    const iterator = run({ signal: controller.signal }, () => numbers({ stall: true })[Symbol.asyncIterator]());
    await iterator.next();
    void iterator.next();
    expect(openOperations()).toBe(1);
    controller.abort();
    sweep();
    expect(seen.last().outcome).toBe('cancelled');
    expect(openOperations()).toBe(0);
  });

  test('ends when return() waits behind a stalled read', async () => {
    const iterator = numbers({ stall: true })[Symbol.asyncIterator]();
    await iterator.next();
    void iterator.next();
    void iterator.return?.();
    sweep();
    expect(seen.last().outcome).toBe('cancelled');
  });

  test('ends when its iterator is collected, and lasted until its last activity', async () => {
    await (async () => {
      const iterator = numbers()[Symbol.asyncIterator]();
      await iterator.next();
    })();
    sweep();
    await collectUntil(() => seen.ends.length > 0);
    const record = seen.last();
    expect(record.outcome).toBe('cancelled');
    expect(record.durationMs).toBeLessThan(performance.now() - record.startedMs);
  });

  test('ends with the sweep that the timer makes each second', async () => {
    const controller = new AbortController();
    const iterator = run({ signal: controller.signal }, () => numbers({ stall: true })[Symbol.asyncIterator]());
    await iterator.next();
    controller.abort();
    await collectUntil(() => seen.ends.length > 0);
    await collectUntil(() => seen.ends.length > 0);
    expect(seen.last().outcome).toBe('cancelled');
  });
});

describe('an operation that was begun', () => {
  test('ends once, whatever is said later', () => {
    const operation = begin('llm.call', call);
    operation.set({ inputTokens: 2 });
    operation.end();
    operation.fail(new Error('late'));
    expect(seen.last()).toMatchObject({ outcome: 'ok', attributes: { inputTokens: 2 }, error: undefined });
  });

  test('ends with what was learned last, added to the rest', () => {
    const operation = begin('llm.call', call);
    operation.set({ inputTokens: 2, outputTokens: 1 });
    operation.end({ outputTokens: 3 });
    operation.end({ outputTokens: 4 });
    expect(seen.ends).toHaveLength(1);
    expect(seen.last().attributes).toEqual({ inputTokens: 2, outputTokens: 3 });
  });

  test('fails with what the error says', () => {
    begin('llm.call', call).fail(new DOMException('t', 'TimeoutError'));
    expect(seen.last().outcome).toBe('timeout');
  });

  test('that is dropped ends when it is collected', async () => {
    (() => begin('llm.call', call).set({ inputTokens: 2 }))();
    sweep();
    await collectUntil(() => seen.ends.length > 0);
    expect(seen.last()).toMatchObject({ outcome: 'cancelled', attributes: { inputTokens: 2 } });
  });

  test('that holds a never-read response body ends when the response is collected', async () => {
    (() => {
      const operation = begin('llm.call', call);
      return new Response(
        new ReadableStream(
          { pull: () => operation.run(() => forever.then(() => {})), cancel: () => operation.end() },
          { highWaterMark: 0 },
        ),
      );
    })();
    sweep();
    await collectUntil(() => seen.ends.length > 0);
    expect(seen.last().outcome).toBe('cancelled');
  });

  test('ends at drain, and its own end comes too late', () => {
    const operation = begin('llm.call', call);
    expect(endOpen()).toBe(1);
    operation.end();
    expect(seen.last().outcome).toBe('cancelled');
  });

  test('keeps a settled outcome at its end', () => {
    const operation = begin('llm.call', call);
    operation.settle('denied');
    operation.end();
    expect(seen.last().outcome).toBe('denied');
  });
});
