import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { JsonPicker } from '../../src/body/json-picker.ts';
import { toLatin1 } from '../../src/body/json-text.ts';

const paths = ['usage', 'model', 'choices.finish', 'choices.deep.x'];

describe('picking members out of JSON', () => {
  test('gives what parsing the whole would give, however it is cut', () => {
    const key = fc.oneof(
      fc.constantFrom(
        'usage',
        'model',
        'choices',
        'finish',
        'deep',
        'x',
        'usag\u00e9',
        'choices.finish',
        'a"b',
        '\\',
        '',
      ),
      fc.string(),
    );
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(null, true, false, 0, -1.5, 1e300),
        fc.string({ unit: fc.nat(0x10_ffff).map((point) => String.fromCodePoint(point)) }),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(key, tie('json'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }));
    const object = fc.dictionary(key, json, { maxKeys: 6, noNullPrototype: true });
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, 2), fc.integer({ min: 1, max: 9 }), (value, indent, cut) => {
        const picker = pick(JSON.stringify(value, null, indent), cut);
        for (const path of paths) expect([path, picker.get(path)]).toEqual([path, expected(value, path.split('.'))]);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['text', 'Bad gateway'],
    ['HTML', '<html>{"usage":1}</html>'],
    ['an array', '[{"usage":1}]'],
    ['a string', '"usage"'],
    ['nothing', ''],
    ['what was cut', '{"usage":{"input":1'],
  ])('%s yields nothing', (_name, text) => {
    expect(pick(text, 3).get('usage')).toBeUndefined();
  });

  test('takes no bytes for granted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, text) => {
        const picker = new JsonPicker(paths);
        picker.write('{"choices":[{');
        picker.write(toLatin1(bytes));
        picker.write(text);
        picker.get('usage');
      }),
    );
  });

  test('leaves out a member that is too long to be what was meant', () => {
    const picker = pick(JSON.stringify({ usage: 'x'.repeat(70_000), model: 'm' }), 1_000);
    expect([picker.get('usage'), picker.get('model')]).toEqual([undefined, 'm']);
  });
});

function pick(text: string, cut: number): JsonPicker {
  const picker = new JsonPicker(paths);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += cut) picker.write(toLatin1(bytes.subarray(at, at + cut)));
  return picker;
}

/** The first value at a path; elements of an array stand where the array does. */
function expected(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined;
  const member = (value as Record<string, unknown>)[name];
  if (rest.length === 0) return member;
  const holders: readonly unknown[] = Array.isArray(member) ? member : [member];
  return holders.map((holder) => expected(holder, rest)).find((found) => found !== undefined);
}
