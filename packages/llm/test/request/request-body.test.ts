import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { apis } from '../../src/providers/index.ts';
import { type Change, readBody, withMembers } from '../../src/request/request-body.ts';
import { askedOf } from '../../src/request/request-shape.ts';

const { request } = apis[0] ?? { request: undefined as never };
const gemini = (apis.find(({ provider }) => provider === 'gemini') ?? apis[0])?.request ?? request;

function changed(text: string, changes: readonly Change[], shape = request): string {
  const body = readBody(text, shape);
  if (body === undefined) throw new Error(`no body: ${text}`);
  return withMembers(body, changes);
}

describe('the body of a request', () => {
  const { includeUsage, caps } = request.places;
  const changes: readonly Change[] = [[includeUsage, true], ...caps.map((cap): Change => [cap, 77])];

  test('says what it asks for', () => {
    const body = readBody('{"model":"m","stream":true,"n":3,"max_tokens":5,"max_completion_tokens":9}', request);
    expect(body && askedOf(body, request)).toEqual({
      model: 'm',
      stream: true,
      maxOutputTokens: 9,
      leastOutputTokens: undefined,
      choices: 3,
      background: false,
      wantsUsage: false,
    });
  });

  test('has other values where it is told to, and is the same everywhere else', () => {
    const member = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.constant(null),
      fc.record({ include_usage: fc.boolean(), more: fc.string() }, { requiredKeys: [] }),
    );
    const keys = fc.constantFrom('model', 'max_tokens', 'max_completion_tokens', 'stream_options', 'other', 'messages');
    fc.assert(
      fc.property(
        fc.dictionary(keys, member),
        fc.subarray([...changes]),
        fc.constantFrom(0, 2),
        (value, some, indent) => {
          const text = JSON.stringify(value, undefined, indent);
          const expected: Record<string, unknown> = { ...value };
          for (const [{ name, outer }, set] of some) {
            if (outer === undefined) expected[name] = set;
            else {
              const around = value[outer.name];
              expected[outer.name] = { ...(typeof around === 'object' ? around : {}), [name]: set };
            }
          }
          const said = changed(text, some);
          expect(JSON.parse(said)).toEqual(expected);
          if (some.length === 0) expect(said).toBe(text);
        },
      ),
    );
  });

  test.each([
    ['{}', '{"max_completion_tokens":77}'],
    ['{ "model" : "m" }', '{"max_completion_tokens":77, "model" : "m" }'],
    ['{"a":1,"max_completion_tokens": 5 ,"b":[ 1 ]}', '{"a":1,"max_completion_tokens": 77 ,"b":[ 1 ]}'],
    ['{"max_completion_tokens":1,"max_completion_tokens":2}', '{"max_completion_tokens":1,"max_completion_tokens":77}'],
    ['{"max_completion_t\\u006fkens":1}', '{"max_completion_t\\u006fkens":77}'],
  ])('%s becomes %s', (text, expected) => {
    expect(changed(text, changes.slice(1, 2))).toBe(expected);
  });

  test('where both members are missing gets both, even if it is empty', () => {
    expect(changed('{}', changes)).toBe(
      '{"max_tokens":77,"max_completion_tokens":77,"stream_options":{"include_usage":true}}',
    );
  });

  test.each([
    ['{"contents":[]}', '{"generationConfig":{"maxOutputTokens":77},"contents":[]}'],
    ['{"generationConfig":{}}', '{"generationConfig":{"maxOutputTokens":77}}'],
    ['{"generationConfig":{"topK":1}}', '{"generationConfig":{"maxOutputTokens":77,"topK":1}}'],
    ['{"generationConfig":null}', '{"generationConfig":{"maxOutputTokens":77}}'],
    ['{"generationConfig":[{"maxOutputTokens":1}]}', '{"generationConfig":{"maxOutputTokens":77}}'],
  ])('of Gemini: %s becomes %s', (text, expected) => {
    // The others are the same in other spellings.
    const toSet = gemini.places.caps.slice(0, 1).map((cap): Change => [cap, 77]);
    expect(changed(text, toSet, gemini)).toBe(expected);
  });
});
