import { describe, expect, test } from '@jest/globals';
import { Hold } from '../../src/body/hold.ts';

describe('what goes on until somebody comes for it', () => {
  test.each([
    ['none', []],
    ['the first', [0]],
    ['the last', [7]],
    ['those in the middle', [3, 4]],
    ['every other', [6, 4, 2, 0]],
    ['all but one', [5, 0, 7, 1, 2, 6, 3]],
  ])('is dropped where nobody comes any more, and only where it did not end before: %s', async (_which, ended) => {
    const dropped: number[] = [];
    const holds = Array.from({ length: 8 }, (_one, index) => begun(() => dropped.push(index)));
    for (const index of ended) holds[index]?.letGo();
    const others = [0, 1, 2, 3, 4, 5, 6, 7].filter((index) => !ended.includes(index));
    await collected(() => dropped.length === others.length);
    expect(dropped.toSorted((a, b) => a - b)).toEqual(others);
  });

  test('is not dropped as long as somebody may come', async () => {
    const dropped: string[] = [];
    const consumer = {};
    const held = new Hold({ abort() {}, drop: () => dropped.push('held') });
    held.dropsWith(consumer);
    begun(() => dropped.push('left'));
    await collected(() => dropped.length > 0);
    await collected(() => dropped.length > 1, 5);
    expect(dropped).toEqual(['left']);
    held.letGo();
    expect(consumer).toEqual({});
  });

  test('ends with its signal, unless it ended before', () => {
    const controllers = [new AbortController(), new AbortController()];
    const errors: unknown[] = [];
    const holds = controllers.map(({ signal }) => {
      const hold = new Hold({ abort: (error) => errors.push(error), drop() {} });
      hold.abortsWith(signal);
      return hold;
    });
    holds[0]?.letGo();
    for (const [index, controller] of controllers.entries()) controller.abort(`enough of ${index}`);
    expect(errors).toEqual(['enough of 1']);
  });
});

/** Its consumer is gone at once. */
function begun(drop: () => void): Hold {
  const hold = new Hold({ abort() {}, drop });
  hold.dropsWith({});
  return hold;
}

async function collected(isSo: () => boolean, turns = 500): Promise<void> {
  for (let turn = 0; turn < turns && !isSo(); turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
