import { describe, expect, test } from '@jest/globals';
import { diskCheck, eventLoopCheck, memoryCheck } from '../../src/ready-made/index.ts';

const { signal } = new AbortController();
const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('the event loop is well while it keeps up, and not after it was blocked', async () => {
  using check = eventLoopCheck({ warnMs: 60, failMs: 2_000 });
  const block = async (ms: number) => {
    await check.check(signal);
    await turn(15);
    await turn(15);
    const until = performance.now() + ms;
    while (performance.now() < until);
    await turn(15);
    return (await check.check(signal))?.status;
  };
  expect(await block(2_200)).toBe('fail');
  expect(await block(120)).toBe('warn');
});

describe('memory', () => {
  test.each([
    [{}, 'pass'],
    [{ warnRatio: 0, failRatio: 1 }, 'warn'],
    [{ warnRatio: 0, failRatio: 0 }, 'fail'],
    [{ maxRssBytes: 1 }, 'fail'],
  ])('%j: %s', async (options, status) => {
    expect(await memoryCheck(options).check(signal)).toMatchObject({
      status,
      detail: expect.stringMatching(/heap \d+ %/),
    });
  });
});

describe('disk space', () => {
  test.each([
    [{ warnFreeRatio: 0, failFreeRatio: 0 }, 'pass'],
    [{ warnFreeRatio: 1, failFreeRatio: 0 }, 'warn'],
    [{ warnFreeRatio: 1, failFreeRatio: 1 }, 'fail'],
  ])('%j: %s', async (options, status) => {
    const result = await diskCheck({ path: import.meta.dirname, ...options }).check(signal);
    expect(result).toMatchObject({ status, detail: expect.stringMatching(/% free/) });
  });

  test('of a file system that is not there fails', async () => {
    await expect(diskCheck({ path: '/no/such/folder' }).check(signal)).rejects.toThrow('ENOENT');
  });
});

test.each([
  [() => eventLoopCheck({ warnMs: 100, failMs: 50 }), 'failMs'],
  [() => memoryCheck({ warnRatio: 2 }), 'warnRatio'],
  [() => diskCheck({ path: '/', failFreeRatio: 0.5 }), 'failFreeRatio'],
])('a bad option is named: %s', (make, name) => {
  expect(make).toThrow(name);
});
