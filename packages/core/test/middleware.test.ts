import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compose, composeStream, type Middleware, type StreamMiddleware } from '../src/index.ts';
import { recorder } from './operations/support.ts';

let seen: ReturnType<typeof recorder>;
beforeEach(() => void (seen = recorder()));
afterEach(() => seen[Symbol.dispose]());

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const tag =
  (name: string): Middleware<string, string> =>
  async (input, next) =>
    `${name}(${await next(`${input}>${name}`)})`;

describe('composed middlewares', () => {
  test('run in order, the first outermost', async () => {
    const handle = compose(
      [
        { name: 'a', middleware: tag('a') },
        { name: 'b', middleware: tag('b') },
      ],
      async (input: string) => `[${input}]`,
    );
    await expect(handle('x')).resolves.toBe('a(b([x>a>b]))');
  });

  test('OM19 OM20: each says how long it worked before and after the rest', async () => {
    const slow: Middleware<number, number> = async (input, next) => {
      await wait(15);
      const output = await next(input);
      await wait(5);
      return output;
    };
    await compose([{ name: 'slow', middleware: slow }], async (input: number) => (await wait(15), input))(1);
    const { start, attributes, durationMs } = seen.last() as unknown as {
      start: { middleware: string };
      attributes: { beforeMs: number; afterMs: number };
      durationMs: number;
    };
    expect(start.middleware).toBe('slow');
    expect(attributes.beforeMs).toBeGreaterThan(10);
    expect(attributes.afterMs).toBeGreaterThan(3);
    expect(attributes.beforeMs + attributes.afterMs).toBeLessThan(durationMs - 10);
  });

  test('OM21: an error is that of the middleware it passes through', async () => {
    const failing: Middleware<string, string> = async () => {
      throw new Error('refused');
    };
    await expect(
      compose([{ name: 'guard', middleware: failing }], async (input: string) => input)('x'),
    ).rejects.toThrow('refused');
    expect(seen.last()).toMatchObject({ name: 'agent.middleware', start: { middleware: 'guard' }, outcome: 'error' });
  });

  test('one that answers itself leaves the rest alone', async () => {
    let handled = 0;
    const cached: Middleware<string, string> = async () => 'cached';
    await expect(compose([{ name: 'cache', middleware: cached }], async () => String(++handled))('x')).resolves.toBe(
      'cached',
    );
    expect(handled).toBe(0);
    expect(seen.last()).toMatchObject({ attributes: { afterMs: 0 } });
  });
});

test('stream middlewares change, add and stop events', async () => {
  const double: StreamMiddleware<number, number> = async function* (input, next) {
    for await (const item of next(input)) yield item * 2;
  };
  const handle = composeStream([{ name: 'double', middleware: double }], async function* (count: number) {
    for (let item = 1; item <= count; item++) yield item;
  });
  const items: number[] = [];
  for await (const item of handle(3)) items.push(item);
  expect(items).toEqual([2, 4, 6]);
  expect(seen.last()).toMatchObject({ name: 'agent.middleware', outcome: 'ok' });
});
