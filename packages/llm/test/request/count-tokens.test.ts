import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { countTokens } from '../../src/request/count-tokens.ts';
import { corpus } from '../support/corpus.ts';

const runs = /\\u.{4}|\\.|[a-z]+|[A-Z]+|\d+|[\0- ]+|[!-/:-@[\]^_`{-\u007f]+|[^\0-\u007f]/gsu;

/** The same in plain words: what is escaped, or a run of one kind. */
function tokensOf(run: string): number {
  const { length } = run;
  if (run.startsWith('\\')) return run === '\\n' ? 0.75 : 0.5;
  if (/^[a-z]/.test(run)) return tokensOfWord(length);
  if (/^[A-Z]/.test(run)) return length === 1 ? 0.75 : length / 2;
  if (/^\d/.test(run)) return length;
  if (/^[\0- ]/.test(run)) return length > 1 ? 1 : 0;
  if (/^[!-\u007f]/.test(run)) return length === 1 ? 1 : length / 2;
  const code = run.codePointAt(0) ?? 0;
  if (code < 0x900) return 0.75;
  return code < 0x1_0000 ? 1 : 3;
}

function tokensOfWord(length: number): number {
  if (length <= 6) return 1;
  return length <= 12 ? 1 + (length - 6) / 6 : 2 + (length - 12) / 2;
}

function counted(text: string): number {
  const twelfths = (text.match(runs) ?? []).map((run) => Math.round(tokensOf(run) * 12));
  return Math.ceil(twelfths.reduce((sum, one) => sum + one, 0) / 12);
}

const word = fc.string({ unit: fc.constantFrom('a', 'e', 'n', 'u'), maxLength: 24 });
const texts = fc.array(
  fc.oneof(fc.string({ unit: 'grapheme' }), word, fc.constantFrom('\n', '\\', '"', '\\n', '  ', 'ABC', '\u0001')),
);

describe('an estimate of tokens', () => {
  test('counts what is escaped as one and all else by runs of its kind', () => {
    fc.assert(
      fc.property(texts, (parts) => {
        const text = JSON.stringify(parts.join(''));
        expect(countTokens(text)).toBe(counted(text));
        expect(countTokens(`[${text}12]`, 1, text.length + 1)).toBe(counted(text));
      }),
    );
  });

  test.each([2_500, 16_384, 16_385, 100_000])('of %d characters is near to what all of them are', (length) => {
    const english = corpus[0]?.text ?? '';
    const text = JSON.stringify(english.repeat(length / english.length + 1)).slice(0, length);
    expect(countTokens(text) / counted(text)).toBeGreaterThan(0.9);
    expect(countTokens(text) / counted(text)).toBeLessThan(1.2);
  });

  test('is the same whether a text is read out of bytes or, because of one letter, is not', () => {
    const text = corpus.map((one) => one.text.replaceAll(/[^\0-\u00ff]/g, '')).join(' ');
    for (const length of [100, 2_048, 2_049, 16_384]) {
      expect(countTokens(`${text.slice(0, length)}\u{3b1}`, 0, length)).toBe(countTokens(text.slice(0, length)));
    }
  });

  test('goes by the same samples whether a text is read out of bytes or is too long for it', () => {
    const text = JSON.stringify(corpus.map((one) => one.text).filter((one) => /^[\0-~]*$/.test(one)));
    // What is not Latin is never read out of bytes.
    const other = `${text}\u{3b1}`;
    for (const length of [16_383, 16_384, 16_385, 16_386])
      expect(countTokens(other, 0, length)).toBe(countTokens(text, 0, length));
  });
});
