import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { holds, holdsText, lengthOfText, parseJson, textAt, valueAt } from '../../src/body/json-text.ts';

describe('reading a member out of JSON text', () => {
  test('gives what parsing would give, whatever the texts around it hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(0, 2), (before, value, indent) => {
        const text = JSON.stringify({ before, other: ['"content":"no"', 'content'], content: value }, null, indent);
        expect(textAt(text, 'content"')).toBe(value);
        expect(holdsText(text, 'content"')).toBe(value !== '');
        expect(lengthOfText(text, 'content"')).toBe(JSON.stringify(value).length - 2);
        expect(text.slice(valueAt(text, 'content"')).startsWith(JSON.stringify(value))).toBe(true);
      }),
    );
  });

  test.each([
    ['{"usage":null}', false],
    ['{"usage" : {}}', true],
    ['{"usage":\n\t{"a":1}}', true],
    ['{"other":"usage","usage":{}}', true],
    ['{"text":"\\"usage\\":{"}', false],
    ['{}', false],
  ])('%s: holds an object is %p', (text, expected) => {
    expect(holds(text, 'usage"', '{')).toBe(expected);
  });

  test('what is cut or no JSON gives nothing', () => {
    expect([
      textAt('{"model":"gpt', 'model"'),
      textAt('{"model":12}', 'model"'),
      parseJson('{'),
      parseJson(undefined),
    ]).toEqual([undefined, undefined, undefined, undefined]);
    expect(lengthOfText('{"content":"abc', 'content"')).toBe(4);
  });
});
