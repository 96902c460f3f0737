import { expect, test } from '@jest/globals';
import { requireBuckets, requireDefinition } from '../src/definition.ts';

const help = 'Help.';

test.each([
  ['counter', { name: 'calls', help }],
  ['gauge', { name: 'level_total', help }],
  ['gauge', { name: 'camelCase', help }],
  ['gauge', { name: '1st', help }],
  ['gauge', { name: 'level', help: ' ' }],
  ['gauge', { name: 'level', help, labels: ['a b'] }],
  ['gauge', { name: 'level', help, labels: ['__name'] }],
  ['gauge', { name: 'level', help, labels: ['le'] }],
  ['gauge', { name: 'level', help, labels: ['a', 'a'] }],
] as const)('a %s is refused as %j', (type, definition) => {
  expect(() => requireDefinition(definition, type)).toThrow(
    expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION' }),
  );
});

test.each([[[2, 1]], [[1, 1]], [[1, Number.POSITIVE_INFINITY]], [[Number.NaN]]])(
  'buckets %j are refused',
  (buckets) => {
    expect(() => requireBuckets(buckets)).toThrow(/buckets/);
  },
);
