import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { shippedBytes, sizeProblems } from '../src/steps/sizes.ts';
import { folderWith } from './support/workspace.ts';

describe('the size of a root entry', () => {
  test('counts the files it imports, not the packages', async () => {
    const parts = Array.from(
      { length: 200 },
      (_, index) => `export const part${index} = ${JSON.stringify(Math.sin(index))};`,
    );
    const root = folderWith({
      'small.js': `import 'winston'; export const a = 1;`,
      'large.js': `export * from './parts.js'; export const a = 1;`,
      'parts.js': parts.join('\n'),
    });
    const small = await shippedBytes(join(root, 'small.js'));
    const large = await shippedBytes(join(root, 'large.js'));
    expect(small).toBeLessThan(100);
    expect(large).toBeGreaterThan(1_500);
  });

  test('comments and long local names cost nothing', async () => {
    const root = folderWith({
      'plain.js': `const a = Math.random(); export const b = [a, a];`,
      'wordy.js': `/** ${'why '.repeat(400)} */ const aVeryLongLocalNameThatIsRenamed = Math.random(); // said\nexport const b = [aVeryLongLocalNameThatIsRenamed, aVeryLongLocalNameThatIsRenamed];`,
    });
    expect(await shippedBytes(join(root, 'wordy.js'))).toBe(await shippedBytes(join(root, 'plain.js')));
  });

  test('fails above its budget, without a budget, and unbuilt', () => {
    expect(sizeProblems('core', 6_000, 6)).toEqual([]);
    expect(sizeProblems('core', 6_001, 6)).toEqual([
      'core: the root entry ships 6001 bytes (brotli), its budget is 6000',
    ]);
    expect(sizeProblems('core', 10, undefined)[0]).toContain('no budget');
    expect(sizeProblems('core', undefined, 6)[0]).toContain('not built');
  });
});
