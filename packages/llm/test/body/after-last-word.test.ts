import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createRetries } from '../support/policies.ts';
import { useRig } from '../support/rig.ts';
import { askStream, chatPiece, chatUrl, eventsOf, nothingWithin, streamed } from '../support/streamed.ts';
import { wires } from '../support/wires.ts';

const rig = useRig();

/** How reading all of it ends. */
function read(response: Response): Promise<string> {
  return response.text().then(
    () => 'read',
    () => 'broken off',
  );
}

describe.each(wires.map((wire) => [wire.name, wire] as const))(
  '%s, whose connection stays open after the last word',
  (_name, wire) => {
    test.each([
      ['no policy', {}],
      ['a stall policy', { stall: { totalMs: 60_000 } }],
      ['a retry policy', { retry: createRetries(2) }],
    ])('is broken off by an abort, with %s', async (_policy, policies) => {
      rig.provider.next({ neverEnd: true });
      const controller = new AbortController();
      const reading = read(await rig.send(wire, policies, { signal: controller.signal }));
      await nothingWithin(50);
      controller.abort();
      expect(await Promise.race([reading, nothingWithin(2_000)])).toBe('broken off');
      await rig.provider.idle();
    });
  },
);

// Gemini has no last word: its streams are over when they end.
test.each(wires.filter(({ name }) => name !== 'Gemini').map((wire) => [wire.name, wire] as const))(
  '%s, whose connection stays open, is broken off when all its time is over, and not while no content comes',
  async (_name, wire) => {
    rig.provider.next({ neverEnd: true });
    const startedMs = performance.now();
    const response = await rig.send(wire, { stall: { firstContentMs: 4_000, betweenContentsMs: 200, totalMs: 900 } });
    expect(await Promise.race([read(response), nothingWithin(5_000)])).toBe('broken off');
    expect(performance.now() - startedMs).toBeGreaterThan(880);
  },
);

test('an abort after an error in the middle breaks the rest off', async () => {
  const events = eventsOf(chatPiece('Hi'), { error: { message: 'no more' } });
  const controller = new AbortController();
  const open = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        for (const event of events) stream.enqueue(Buffer.from(event));
        init?.signal?.addEventListener('abort', () => stream.error(init.signal?.reason));
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  const fetchOf = wrapFetch(open, { stall: { totalMs: 60_000 } });
  const reading = read(await fetchOf(chatUrl, { ...askStream, signal: controller.signal }));
  await nothingWithin(50);
  controller.abort();
  expect(await Promise.race([reading, nothingWithin(2_000)])).toBe('broken off');
});

test('a stream that nobody can read lets go of the signal', async () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 3; n++) {
    const fetchOf = wrapFetch(async () => streamed(['data: {"a\n\ndata: x\n\n']));
    await expect(fetchOf(chatUrl, { ...askStream, signal })).rejects.toThrow();
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
