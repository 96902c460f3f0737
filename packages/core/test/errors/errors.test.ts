import { describe, expect, test } from '@jest/globals';
import { defineErrors, isSageError, requireNumber, requireOption, requireWhole } from '../../src/index.ts';

const errors = defineErrors('ERRORTEST', {
  FULL: { category: 'transient', status: 503, message: 'The queue holds {size} entries of {most}.' },
  LEFT: { category: 'cancelled', status: 499, message: 'The caller left.' },
});

describe('an error of a table', () => {
  test('has its row, its code and the filled message', () => {
    const cause = new Error('why');
    const error = errors.FULL({ size: 3, most: 4 }, { cause, retryAfterMs: 50 });
    expect(error).toMatchObject({
      name: 'SageError',
      code: 'SAGE_ERRORTEST_FULL',
      category: 'transient',
      outcome: 'error',
      status: 503,
      retryAfterMs: 50,
      details: { size: 3, most: 4 },
      cause,
    });
    expect(error.message).toBe('The queue holds 3 entries of 4.');
    expect(errors.LEFT().outcome).toBe('cancelled');
  });

  test('asks for its placeholders when it is compiled', () => {
    // @ts-expect-error most is missing
    errors.FULL({ size: 3 });
    // @ts-expect-error the details are missing
    errors.FULL();
  });

  test('is recognised by its brand, not by its class', () => {
    expect(isSageError(errors.LEFT())).toBe(true);
    expect(isSageError(errors.LEFT(), 'SAGE_ERRORTEST_FULL')).toBe(false);
    expect(isSageError({ [Symbol.for('@sage-adk/error')]: true, code: 'C' }, 'C')).toBe(true);
    for (const other of [undefined, null, 'text', new Error('x')]) expect(isSageError(other)).toBe(false);
  });

  test('offers its row as data, for reference pages', () => {
    expect({ ...errors.FULL }).toEqual({
      code: 'SAGE_ERRORTEST_FULL',
      category: 'transient',
      status: 503,
      message: 'The queue holds {size} entries of {most}.',
    });
  });
});

describe('a bad option', () => {
  test.each([
    [() => requireWhole('limit', 1.5, 1), 'The option limit is 1.5; it must be a whole number of at least 1.'],
    [() => requireWhole('limit', 11, 1, 10), 'The option limit is 11; it must be a whole number from 1 to 10.'],
    [() => requireNumber('ratio', Number.NaN, 0, 1), 'The option ratio is NaN; it must be a number from 0 to 1.'],
    [() => requireOption('mode', 'x', 'a or b', (mode) => mode === 'a'), 'The option mode is "x"; it must be a or b.'],
  ])('is refused with its name, value and range', (check, message) => {
    expect(check).toThrow(expect.objectContaining({ message, code: 'SAGE_CORE_INVALID_OPTION' }));
  });

  test('a good one is returned', () => {
    expect(requireWhole('limit', 3, 1)).toBe(3);
    expect(requireNumber('ratio', 0.5, 0, 1)).toBe(0.5);
  });
});
