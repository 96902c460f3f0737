import { describe, expect, test } from '@jest/globals';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { askStream, chatPiece, chatUrl, eventsOf, nothingWithin, streamed } from '../support/streamed.ts';

const words = ['w0', 'w1', 'w2', 'w3', 'w4', 'w5'];
const events = eventsOf(...words.map((word) => chatPiece(word)));

type Ask = (url: string, init: RequestInit) => Promise<Response>;
const slow: Ask = async () => streamed(events, { gapMs: 5 });
const ways: readonly (readonly [name: string, ask: Ask])[] = [
  ['bare', slow],
  ['wrapped', wrapFetch(slow as typeof fetch)],
];

async function bodyOf(ask: Ask): Promise<ReadableStream<Uint8Array>> {
  return (await ask(chatUrl, askStream)).body as ReadableStream<Uint8Array>;
}

function wordsIn(bytes: Uint8Array | undefined): readonly string[] {
  return (
    Buffer.from(bytes ?? [])
      .toString()
      .match(/w\d/g) ?? []
  );
}

async function rest(body: ReadableStream<Uint8Array>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const chunk of body) found.push(...wordsIn(chunk));
  return found;
}

describe.each(ways)('the body of a %s answer', (_name, ask) => {
  test.each([1, 2, 3])('loses nothing where a reader is released with %p reads under way', async (count) => {
    const body = await bodyOf(ask);
    const reader = body.getReader();
    await reader.read();
    const reads = Array.from({ length: count }, () =>
      reader.read().then(
        () => 'read',
        () => 'rejected',
      ),
    );
    reader.releaseLock();
    expect([await rest(body), await Promise.all(reads)]).toEqual([words.slice(1), reads.map(() => 'rejected')]);
  });

  test('goes on for the next reader where one left without waiting', async () => {
    const body = await bodyOf(ask);
    const first = body.getReader();
    await first.read();
    first.read().catch(() => {});
    first.releaseLock();
    const second = body.getReader();
    const reads = [await second.read(), await second.read()];
    expect(reads.flatMap(({ value }) => wordsIn(value))).toEqual(['w1', 'w2']);
    second.releaseLock();
    expect(await rest(body)).toEqual(words.slice(3));
  });

  test('is read in the order in which it was asked for', async () => {
    const reader = (await bodyOf(ask)).getReader();
    await reader.read();
    const seen: string[] = [];
    const note = (name: string) => (read: { readonly value?: Uint8Array | undefined }) => {
      seen.push(name + wordsIn(read.value).join(''));
    };
    reader.read().then((read) => {
      note('a')(read);
      reader.read().then(note('c'), () => {});
    }, note('no a'));
    reader.read().then(note('b'), () => {});
    for (let turn = 0; turn < 200 && seen.length < 3; turn++) await nothingWithin(5);
    expect(seen).toEqual(['aw1', 'bw2', 'cw3']);
  });
});
