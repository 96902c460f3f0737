import { defineErrors } from './define-errors.ts';

/** Errors that every package may raise about its options. */
export const optionErrors = defineErrors('CORE', {
  INVALID_OPTION: {
    category: 'permanent',
    status: 500,
    message: 'The option {option} is {value}; it must be {expected}.',
  },
});

/** Refuses an option at once, naming it, its value and its range. Returns the value, so that it can stand in an expression. */
export function requireOption<T>(option: string, value: T, expected: string, isValid: (value: T) => boolean): T {
  return isValid(value) ? value : refuse(option, value, expected);
}

/** Refuses a number that is not whole or lies outside the range. */
export function requireWhole(
  option: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return refuse(option, value, `a whole number ${range}`);
}

/** Refuses a number that is not finite or lies outside the range. */
export function requireNumber(
  option: string,
  value: number,
  min: number,
  max: number = Number.POSITIVE_INFINITY,
): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
  return refuse(option, value, `a number ${range}`);
}

function refuse(option: string, value: unknown, expected: string): never {
  throw optionErrors.INVALID_OPTION({
    option,
    value: typeof value === 'string' ? `"${value}"` : String(value),
    expected,
  });
}
