import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Exchange } from '../../src/body/exchange.ts';
import { record } from '../../src/body/recorded.ts';
import { SseReader } from '../../src/body/stream-reader.ts';
import { tapped } from '../../src/body/tapped.ts';
import type { CachedAnswer } from '../../src/middleware/cache.ts';
import { openaiChat } from '../../src/providers/openai-chat.ts';
import type { StreamReader } from '../../src/providers/api.ts';
import { inPieces } from '../support/pieces.ts';

const text = fc.oneof(fc.constant(' noon'), fc.string({ unit: 'grapheme', maxLength: 6 }));
const cuts = fc.oneof(fc.constant('events' as const), fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }));

test('what is kept of a stream is what its consumer got, in whatever letters and pieces it came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), cuts, async (texts, cut) => {
      const events = [...texts.map((content) => eventOf({ choices: [{ delta: { content } }] })), 'data: [DONE]\n\n'];
      const { promise, resolve, reject } = Promise.withResolvers<CachedAnswer>();
      const response = new Response(bodyOf(inPieces(events, cut)), {
        headers: { 'content-type': 'text/event-stream' },
      });
      const reader = new SseReader(openaiChat.readStream?.(1) as StreamReader, { hidesExtra: true });
      const exchange = new Exchange({ body: response.body, reader, failure: () => undefined });
      const result = tapped(response, exchange);
      record({ result, progress: exchange }, resolve, reject);
      let got = '';
      const decoder = new TextDecoder();
      for await (const chunk of result.body ?? []) got += decoder.decode(chunk, { stream: true });
      expect((await promise).body).toBe(got);
      expect(got).toBe(events.join(''));
    }),
    { numRuns: 300 },
  );
});

function eventOf(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function bodyOf(chunks: readonly Buffer[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}
