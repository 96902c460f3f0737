import { describe, expect, test } from '@jest/globals';
import { tapBody } from '../../src/body/tap-body.ts';

describe('a tapped body', () => {
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
    expect(seen).toEqual([1, 2, 'end']);
  });

  test('hands the cancellation of its consumer on, with the reason, before and after the first read', async () => {
    for (const reads of [0, 1]) {
      const source = createSource();
      const { response, seen } = tap(source.response);
      const reader = response.body?.getReader();
      for (let n = 0; n < reads; n++) await reader?.read();
      await reader?.cancel('enough');
      expect(source.cancelledWith).toBe('enough');
      expect(seen.at(-1)).toBe('cancel');
    }
  });

  test('hands an error of the source on, the very same', async () => {
    const broken = new Error('broken');
    const { response, seen } = tap(createSource(1, broken).response);
    await expect(response.text()).rejects.toBe(broken);
    expect(seen).toEqual([1, broken]);
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

  test('lets the collector have a response that nobody reads', async () => {
    const dropped = (() => {
      const { response } = tap(createSource().response);
      return new WeakRef(response);
    })();
    await othersRan();
    globalThis.gc?.();
    await othersRan();
    expect(dropped.deref()).toBeUndefined();
  });

  test('is not there where there is no body', () => {
    expect(tapBody(new Response(null, { status: 204 }), { end() {}, fail() {}, cancel() {} })).toBeUndefined();
  });
});

/** A response whose body counts what is asked of it. */
function createSource(chunks = Number.POSITIVE_INFINITY, error?: Error) {
  const source = { pulls: 0, cancelledWith: undefined as unknown, response: new Response() };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        source.pulls++;
        if (source.pulls <= chunks) controller.enqueue(new Uint8Array([source.pulls]));
        else if (error === undefined) controller.close();
        else controller.error(error);
      },
      cancel(reason) {
        source.cancelledWith = reason;
      },
    },
    { highWaterMark: 0 },
  );
  source.response = new Response(body);
  return source;
}

function tap(original: Response) {
  const seen: unknown[] = [];
  const response = tapBody(original, {
    chunk: (chunk) => void seen.push(...chunk),
    end: () => void seen.push('end'),
    fail: (error) => void seen.push(error),
    cancel: () => void seen.push('cancel'),
  });
  if (response === undefined) throw new Error('The response has no body.');
  return { response, seen };
}

function othersRan(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
