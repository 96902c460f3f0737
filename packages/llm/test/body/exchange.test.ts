import { describe, expect, test } from '@jest/globals';
import { PlainReader } from '../../src/body/answer-reader.ts';
import { Exchange } from '../../src/body/exchange.ts';
import type { Ending } from '../../src/body/progress.ts';
import { tapped } from '../../src/body/tapped.ts';

describe('the body of an exchange', () => {
  test('is read no faster than its consumer reads', async () => {
    const source = createSource();
    const { response } = tap(source.response);
    await othersRan();
    expect(source.pulls).toBe(0);
    const reader = response.body?.getReader();
    for (let n = 1; n <= 3; n++) {
      await reader?.read();
      await othersRan();
      expect(source.pulls).toBe(n);
    }
  });

  test('gives the same bytes, in the same chunks, and then says that it ended', async () => {
    const { response, seen } = tap(createSource(2).response);
    const chunks: number[][] = [];
    for await (const chunk of response.body ?? []) chunks.push([...chunk]);
    expect(chunks).toEqual([[1], [2]]);
    expect(seen).toEqual([{ kind: 'done' }]);
  });

  test('hands the cancellation of its consumer on, with the reason, before and after the first read', async () => {
    for (const reads of [0, 1]) {
      const source = createSource();
      const { response, seen } = tap(source.response);
      const reader = response.body?.getReader();
      for (let n = 0; n < reads; n++) await reader?.read();
      await reader?.cancel('enough');
      expect(source.cancelledWith).toBe('enough');
      expect(seen).toEqual([{ kind: 'cancelled', reason: 'enough' }]);
    }
  });

  test('hands an error of the source on, the very same', async () => {
    const broken = new Error('broken');
    const { response, seen } = tap(createSource(1, broken).response);
    await expect(response.text()).rejects.toBe(broken);
    expect(seen).toEqual([{ kind: 'failed', error: broken }]);
  });

  test('looks like the response it came from, cloned or not', async () => {
    const original = new Response('text', {
      status: 201,
      statusText: 'Made',
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-request-id', 'req_1'],
      ],
    });
    Object.defineProperties(original, { url: { value: 'https://api.test/v1' }, redirected: { value: true } });
    const { response } = tap(original);
    for (const like of [response, response.clone().clone()]) {
      expect([like.status, like.statusText, like.ok, like.url, like.redirected, like.type]).toEqual([
        201,
        'Made',
        true,
        'https://api.test/v1',
        true,
        'default',
      ]);
      expect([like.headers.getSetCookie(), like.headers.get('x-request-id')]).toEqual([['a=1', 'b=2'], 'req_1']);
    }
    expect(await Promise.all([response.clone().text(), response.text()])).toEqual(['text', 'text']);
  });

  test('is let go, and ends as cancelled, where nobody ever reads it', async () => {
    const source = createSource();
    const seen: Ending[] = [];
    drop(source.response, seen);
    for (let turn = 0; turn < 200 && seen.length === 0; turn++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(seen).toEqual([{ kind: 'cancelled', reason: undefined }]);
    expect(source.cancelled).toBe(true);
  });

  test('ends at once where there is none', () => {
    const exchange = exchangeOf(new Response(null, { status: 204 }));
    expect([exchange.ending, exchange.relay()]).toEqual([{ kind: 'done' }, null]);
  });

  test('that was aborted between two reads is let go at once, and the next read throws the reason', async () => {
    const source = createSource();
    const controller = new AbortController();
    const exchange = exchangeOf(source.response, controller.signal);
    const reader = exchange.relay()?.getReader();
    await reader?.read();
    controller.abort(new Error('enough'));
    expect(exchange.ending).toEqual({ kind: 'cancelled', reason: controller.signal.reason });
    expect(source.cancelledWith).toBe(controller.signal.reason);
    await expect(reader?.read()).rejects.toBe(controller.signal.reason);
  });

  test('leaves no listener on the signal once it ended', async () => {
    const { signal } = new AbortController();
    const listening = { count: 0 };
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listening.count++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listening.count--, remove(...args));
    await new Response(exchangeOf(createSource(2).response, signal).relay()).text();
    expect(listening.count).toBe(0);
  });

  test('what was read ahead comes first, then the rest, and an error where it was', async () => {
    const broken = new Error('broken');
    const exchange = exchangeOf(createSource(3, broken).response);
    let wanted = 2;
    await exchange.readAhead(() => wanted-- === 0);
    const reader = exchange.relay()?.getReader();
    expect([await reader?.read(), await reader?.read(), await reader?.read()].map((read) => read?.value?.[0])).toEqual([
      1, 2, 3,
    ]);
    await expect(reader?.read()).rejects.toBe(broken);
  });
});

function drop(response: Response, seen: Ending[]): void {
  const exchange = exchangeOf(response);
  exchange.onEnd((ending) => void seen.push(ending));
  exchange.relay();
}

/** A response whose body counts what is asked of it. */
function createSource(chunks = Number.POSITIVE_INFINITY, error?: Error) {
  const source = { pulls: 0, cancelled: false, cancelledWith: undefined as unknown, response: new Response() };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        source.pulls++;
        if (source.pulls <= chunks) controller.enqueue(new Uint8Array([source.pulls]));
        else if (error === undefined) controller.close();
        else controller.error(error);
      },
      cancel(reason) {
        source.cancelled = true;
        source.cancelledWith = reason;
      },
    },
    { highWaterMark: 0 },
  );
  source.response = new Response(body);
  return source;
}

function exchangeOf(response: Response, signal?: AbortSignal): Exchange {
  return new Exchange({ body: response.body, signal, reader: new PlainReader(), failure: (kind) => new Error(kind) });
}

function tap(original: Response) {
  const seen: Ending[] = [];
  const exchange = exchangeOf(original);
  exchange.onEnd((ending) => void seen.push(ending));
  return { response: tapped(original, exchange), seen };
}

function othersRan(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
