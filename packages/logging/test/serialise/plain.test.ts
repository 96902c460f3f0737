import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLogger, type Fields } from '../../src/index.ts';
import { type Line, memoryBackend } from '../support/memory-backend.ts';

function lineOf(fields: Fields): Line {
  const backend = memoryBackend();
  createLogger({ backend }).info('x', fields);
  const [line] = backend.lines();
  if (line === undefined) throw new Error('the line is lost');
  return line;
}

describe('any value', () => {
  test('becomes a part of one line of JSON, and nothing throws', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anything), (fields) => {
        const backend = memoryBackend();
        createLogger({ backend }).info('x', fields);
        expect(backend.written).toHaveLength(1);
        expect(backend.written[0]?.line).not.toMatch(/[\n\r]/);
        expect(() => backend.lines()).not.toThrow();
      }),
    );
  });

  test('bigint: a number as long as it is exact, else its digits', () => {
    expect(lineOf({ cost: 12n, huge: 2n ** 70n })).toMatchObject({ cost: 12, huge: '1180591620717411303424' });
  });

  test('a circle ends where it closes; the same object twice is no circle', () => {
    const shared = { a: 1 };
    const circle: Record<string, unknown> = { first: shared, second: shared };
    circle['self'] = circle;
    expect(lineOf({ circle })['circle']).toEqual({ first: { a: 1 }, second: { a: 1 }, self: '[circular]' });
  });

  test('a getter, a proxy or a toJSON that throws is unreadable, and only that', () => {
    const trap = () => {
      throw new Error('no');
    };
    const fields = {
      getter: Object.defineProperty({ fine: 1 }, 'bad', { get: trap, enumerable: true }),
      proxy: new Proxy({}, { ownKeys: trap }),
      json: { toJSON: trap },
      good: true,
    };
    expect(lineOf(fields)).toMatchObject({
      getter: { fine: 1, bad: '[unreadable]' },
      proxy: '[unreadable]',
      json: '[unreadable]',
      good: true,
    });
  });

  test('an error keeps type, message, stack, code and causes; a chain of causes ends', () => {
    const root: Error = new TypeError('root');
    root.cause = root;
    const error = Object.assign(new Error('outer', { cause: root }), { code: 'E_OUTER' });
    const { err } = lineOf({ err: error }) as { err: { cause: { cause: unknown } } };
    expect(err).toMatchObject({
      type: 'Error',
      message: 'outer',
      code: 'E_OUTER',
      cause: { type: 'TypeError', message: 'root' },
    });
    expect(err).toHaveProperty('stack', expect.stringContaining('plain.test.ts'));
    expect(JSON.stringify(err).match(/"message":"root"/g)?.length).toBeLessThanOrEqual(5);
  });

  test('an error that has a toJSON is an error like any other: clients give their whole request by it', () => {
    class HttpError extends Error {
      readonly code = 'ERR_BAD_REQUEST';
      readonly config = { headers: { 'X-Auth': 'hunter2' }, data: 'my diary' };
      toJSON(): object {
        return { message: this.message, config: this.config };
      }
    }
    const fields = { err: new HttpError('status 400', { cause: new Error('root') }) };
    const { err } = lineOf(fields) as { err: object };
    expect(err).toMatchObject({ message: 'status 400', code: 'ERR_BAD_REQUEST', cause: { message: 'root' } });
    expect(JSON.stringify(err)).not.toMatch(/hunter2|diary/);
  });

  test('an error whose members cannot be read is told as far as they can', () => {
    const error = new TypeError('boom');
    for (const member of ['stack', 'cause', 'code'])
      Object.defineProperty(error, member, {
        get() {
          throw new Error('no');
        },
      });
    expect(lineOf({ err: error })['err']).toEqual({
      type: 'TypeError',
      message: 'boom',
      stack: '[unreadable]',
      cause: '[unreadable]',
      code: '[unreadable]',
    });
  });

  test('dates, URLs, maps, sets, bytes, functions and numbers that JSON lacks stay readable', () => {
    const fields = {
      date: new Date(0),
      url: new URL('https://example.com/a'),
      map: new Map([['k', 1]]),
      set: new Set([1, 2]),
      bytes: new Uint8Array(12),
      call: function named() {},
      none: Number.NaN,
      missing: undefined,
    };
    const written = lineOf(fields);
    expect(written).not.toHaveProperty('missing');
    expect(written).toMatchObject({
      date: '1970-01-01T00:00:00.000Z',
      url: 'https://example.com/a',
      map: { k: 1 },
      set: [1, 2],
      bytes: '[12 bytes]',
      call: '[function named]',
      none: 'NaN',
    });
  });

  test('size is bounded in depth, in breadth, in length and in all', () => {
    let deep: unknown = 'bottom';
    for (let n = 0; n < 50; n++) deep = [deep];
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, n]));
    const bushy = Array.from({ length: 90 }, () => Array.from({ length: 90 }, () => 'leaf'));
    const backend = memoryBackend();
    createLogger({ backend }).info('m'.repeat(100_000), {
      deep,
      wide,
      list: Array(5_000).fill(0),
      long: 'l'.repeat(100_000),
      bushy,
    });
    const line = backend.written[0]?.line ?? '';
    expect(line.length).toBeLessThan(80_000);
    for (const mark of ['[deep]', '[+4900 entries]', '[+83616 characters]', '[cut]']) expect(line).toContain(mark);
  });

  test('a key named __proto__ is only a key', () => {
    const fields = JSON.parse('{"a":{"__proto__":{"polluted":true}}}') as Fields;
    expect(lineOf(fields)['a']).toEqual({ __proto___: { polluted: true } });
  });
});
