import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { SseParser } from '../../src/body/sse-parser.ts';

interface Seen {
  readonly type: string;
  readonly data: string;
}

describe('finding events', () => {
  test('gives what was sent, however it is cut and whichever way lines end', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
    const event = fc.record({
      type: fc.constantFrom('', 'delta', 'message_stop'),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
      comment: fc.option(line),
      space: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        (events, end, cuts) => {
          const sent = events.map(({ type, lines, comment, space }) => {
            const head = [
              ...(comment === null ? [] : [`:${comment}`]),
              ...(type === '' ? [] : [`event: ${type}`]),
              'id: 7',
              'retry: 100',
            ];
            // Only the first space is no part of the value.
            const data = lines.map((text) => (space || text.startsWith(' ') ? `data: ${text}` : `data:${text}`));
            return [...head, ...data, '', ''].join(end);
          });
          const seen = parse(Buffer.from(sent.join('')), cuts);
          expect(seen).toEqual(events.map(({ type, lines }) => ({ type, data: lines.join('\n') })));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('tells where in the piece each ends', () => {
    const ends: number[] = [];
    const parser = new SseParser((_type, _data, end) => void ends.push(end));
    parser.write('data: 1\n\ndata: 2\r\n');
    parser.write('\r\n: comment\n\ndata: 3\n\n');
    expect(ends).toEqual([9, 2, 22]);
  });

  test('skips a byte order mark, and what is no field', () => {
    expect(parse(Buffer.from('\ufeffdata: 1\n\nodd: 2\ndata\n\ndata: 3\n\n'), [100])).toEqual([
      { type: '', data: '1' },
      { type: '', data: '3' },
    ]);
  });

  test('an event that never ended is none', () => {
    expect(parse(Buffer.from('data: 1\n\ndata: 2\n'), [3])).toEqual([{ type: '', data: '1' }]);
  });

  test('keeps JSON that stands outside of any event, in whatever pieces it came', () => {
    for (const cut of [1, 7, 1_000]) {
      const parser = new SseParser(() => {});
      const text = 'data: {"a":1}\n\n{\n  "error": {\n    "code": 503\n  }\n}';
      for (let at = 0; at < text.length; at += cut) parser.write(text.slice(at, at + cut));
      expect(JSON.parse(parser.stray)).toEqual({ error: { code: 503 } });
    }
  });

  test('an event longer than anything that matters is told by its name alone, and the next one whole', () => {
    const seen = parse(Buffer.from(`event: last\ndata: ${'x'.repeat(34_000_000)}\n\ndata: 2\n\n`), [60_000]);
    expect(seen).toEqual([
      { type: 'last', data: '' },
      { type: '', data: '2' },
    ]);
    const lines = `data: ${'x'.repeat(12_000_000)}\n`.repeat(3);
    expect(parse(Buffer.from(`${lines}\ndata: 2\n\n`), [60_000])).toEqual([
      { type: '', data: '' },
      { type: '', data: '2' },
    ]);
  });

  test('takes time in proportion to the bytes, also for one long line in many pieces', () => {
    const took = (bytes: number): number => {
      const piece = 'x'.repeat(1_000);
      const parser = new SseParser(() => {});
      const startedMs = performance.now();
      for (let sent = 0; sent < bytes; sent += piece.length) parser.write(piece);
      parser.write('\n\n');
      return performance.now() - startedMs;
    };
    // The best of four: the machine may be busy, the code must not be.
    expect(Math.min(...[1, 2, 3, 4].map(() => took(4_000_000)))).toBeLessThan(1_000);
  });
});

/** @param cuts lengths of the pieces, again and again. */
function parse(bytes: Buffer, cuts: readonly number[]): readonly Seen[] {
  const seen: Seen[] = [];
  const parser = new SseParser((type, data) => void seen.push({ type, data: Buffer.from(data, 'latin1').toString() }));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = cuts[turn % cuts.length] ?? 1;
    parser.write(bytes.subarray(at, at + length).toString('latin1'));
    at += length;
  }
  return seen;
}
