import { expect, test } from '@jest/globals';
import { rowsIn, tableOf } from '../src/error-reference.ts';
import { compare } from '../src/steps/reference.ts';

const row = Object.assign(() => {}, { code: 'SAGE_X_FULL', category: 'transient', status: 503, message: 'a | b' });

test('errors are found in the tables that a module exports', () => {
  expect(rowsIn({ errors: { FULL: row, other: () => {} }, helper: () => {}, text: 'x' })).toEqual([row]);
  expect(tableOf([row]).split('\n').at(-1)).toBe('| `SAGE_X_FULL` | transient | 503 | a \\| b |');
});

test('a page that says the same passes, one that does not is named with its line', () => {
  expect(compare('errors.md', 'a\nb\n', 'a\nb\n')).toEqual([]);
  expect(compare('errors.md', 'a\nb\n', 'a\nc\n')).toEqual([expect.stringContaining('errors.md:2 ')]);
  expect(compare('errors.md', '', 'a\n')).toHaveLength(1);
});
