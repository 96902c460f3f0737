import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { findMembers, longString, valueOf, wantMembers } from '../../src/request/json-members.ts';
import { ofAttachments, ofCache, ofLongCache, ofTools } from '../../src/request/words.ts';

const paths = ['model', 'n', 'max_tokens', 'choices.finish_reason', 'usage', 'options.include_usage', 'options.n'];
const names = ['model', 'n', 'max_tokens', 'choices', 'finish_reason', 'usage', 'options', 'include_usage'];

/** A value, and one of the many ways to write it. */
interface Written {
  readonly value: unknown;
  readonly text: string;
}

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n  ');
const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...names) }, fc.string());

/** Some letters as four digits, as anybody may write them. */
const writtenName = fc.tuple(name, fc.nat(7)).map(([key, escaped]): Written => {
  const letter = key.charCodeAt(escaped);
  const hidden = `\\u${letter.toString(16).padStart(4, '0')}`;
  const isPlain = escaped === 7 || !/^\w+$/.test(key) || Number.isNaN(letter);
  return {
    value: key,
    text: isPlain ? JSON.stringify(key) : `"${key.slice(0, escaped)}${hidden}${key.slice(escaped + 1)}"`,
  };
});

const plain = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\\', '"', '\\"', '{', ']'),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  )
  .map((value): Written => ({ value: JSON.parse(JSON.stringify(value)), text: JSON.stringify(value) }));

const { value: written } = fc.letrec<{ value: Written; object: Written; list: Written }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, plain, tie('object'), tie('list')),
  object: objectOf(tie('value')),
  list: fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([elements, gap]) => ({
    value: elements.map((one) => one.value),
    text: `[${gap}${elements.map((one) => one.text).join(`${gap},${gap}`)}${gap}]`,
  })),
}));

/** Names may come twice. */
function objectOf(value: fc.Arbitrary<Written>): fc.Arbitrary<Written> {
  return fc.tuple(fc.array(fc.tuple(writtenName, value), { maxLength: 8 }), space).map(([members, gap]) => {
    const text = `{${gap}${members.map(([key, one]) => `${key.text}${gap}:${gap}${one.text}`).join(`${gap},${gap}`)}${gap}}`;
    return { value: JSON.parse(text), text };
  });
}

const object = fc.tuple(space, objectOf(written), space).map(([before, one, behind]): Written => {
  return { value: one.value, text: `${before}${one.text}${behind}` };
});

function parsedAt(json: unknown, path: string, inList: boolean): unknown {
  let at = json;
  for (const [step, key] of path.split('.').entries()) {
    if (inList && step > 0 && Array.isArray(at)) at = at[0];
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined;
    at = Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}

describe('looking for members in the text of an object', () => {
  test.each([false, true])('finds what parsing would give; in the first element of a list: %p', (inList) => {
    const wanted = wantMembers(paths, inList);
    fc.assert(
      fc.property(object, ({ value, text }) => {
        const found = findMembers(text, wanted);
        if (found === undefined) throw new Error('not found to be an object');
        const values = wanted.places.map((place) => valueOf(text, found, place));
        expect(values).toEqual(paths.map((path) => parsedAt(value, path, inList)));
      }),
      { numRuns: 200 },
    );
  });

  test('what is no object, or is cut, has none', () => {
    const wanted = wantMembers(paths, true);
    for (const text of ['', ' ', '[]', '"{}"', '{', '{"model"', '{"model":', '{"model":1', '{"model":"']) {
      expect(findMembers(text, wanted)).toBeUndefined();
    }
    fc.assert(
      fc.property(objectOf(written), fc.nat(), ({ text }, cut) => {
        expect(findMembers(text.slice(0, cut % text.length), wanted)).toBeUndefined();
      }),
    );
  });

  test('a name says again what it said the last time, and something else where it holds something else', () => {
    const wanted = wantMembers(['model']);
    const read = (text: string) => {
      const found = findMembers(text, wanted);
      return found && wanted.places.map((place) => valueOf(text, found, place))[0];
    };
    const texts = [
      '"m"',
      '"m"',
      '"m2"',
      '2',
      '"m"',
      'null',
      'tru',
      '"m',
      '{}',
      '"\\u006d"',
      '"m"',
      'true',
      '-1.50',
      '01',
      '"\u{1f389}"',
      '"\ud83c"',
      '"\u{1f389}"',
    ];
    expect(texts.map((text) => read(`{"model":${text}}`))).toEqual([
      'm',
      'm',
      'm2',
      2,
      'm',
      null,
      undefined,
      undefined,
      {},
      'm',
      'm',
      true,
      -1.5,
      undefined,
      '\u{1f389}',
      '\ud83c',
      '\u{1f389}',
    ]);
  });

  test('tells where long strings are, at any depth', () => {
    const long = 'x'.repeat(longString);
    const text = JSON.stringify({ model: 'm', messages: [{ content: long }, { content: long.slice(2) }, [long]] });
    const found = findMembers(text, wantMembers(['model']));
    expect(found?.long.map(({ from, to }) => text.slice(from, to))).toEqual([long, long]);
  });

  test('tells which of some words are names or values in it, and not what holds them', () => {
    const meanings = {
      tools: ofTools,
      file_id: ofAttachments,
      url: ofAttachments,
      cache_control: ofCache,
      '1h': ofLongCache,
    };
    const word = fc.constantFrom(...Object.keys(meanings), 'tool', 'URL', 'a url', '"1h"', '1H', 'file-id');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.oneof(word, fc.integer())), { maxLength: 3 }), space, (members, gap) => {
        const text = JSON.stringify({ messages: members.map(([key, value]) => ({ [key]: [value] })) }, undefined, gap);
        const said = members.flat().map((one) => meanings[one as keyof typeof meanings] ?? 0);
        expect(findMembers(text, wantMembers([]))?.words).toBe(said.reduce((sum, one) => sum | one, 0));
      }),
    );
  });
});
