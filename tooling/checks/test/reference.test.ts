import { expect, test } from '@jest/globals';
import { rowsIn, tableOf } from '../src/error-reference.ts';
import { metricPage } from '../src/metric-reference.ts';
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

test('the page of metrics has a row for each with its labels, its buckets by letter, its origin and its OpenTelemetry name', () => {
  const openTelemetry = { name: 'sage.x.wait', unit: 's', attributes: { pool: 'sage.pool' } };
  const labels = { labels: ['pool'], values: { pool: ['a', 'b'] } };
  const row = {
    name: 'sage_x_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Waits.',
    from: 'pool.acquire,source x *',
  };
  const page = metricPage([{ ...row, ...labels, buckets: [0.1, 1], openTelemetry }]).split('\n');
  expect(page).toContain(
    '| `sage_x_seconds` | histogram | seconds | pool: a, b | A | Waits. | `pool.acquire`, source `x *` |',
  );
  expect(page).toContain('- A: 0.1, 1');
  expect(page).toContain('| `sage_x_seconds` | `sage.x.wait` | s | pool: `sage.pool` |');
});
