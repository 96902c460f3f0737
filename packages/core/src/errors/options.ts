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
  if (isValid(value)) return value;
  throw optionErrors.INVALID_OPTION({
    option,
    value: typeof value === 'string' ? `"${value}"` : String(value),
    expected,
  });
}

/** Refuses a number that is not whole or lies outside the range. */
export function requireWhole(
  option: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const range =
    max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`;
  return requireOption(
    option,
    value,
    range,
    (number) => Number.isSafeInteger(number) && number >= min && number <= max,
  );
}

/** Refuses a number that is not finite or lies outside the range. */
export function requireNumber(
  option: string,
  value: number,
  min: number,
  max: number = Number.POSITIVE_INFINITY,
): number {
  const range = max === Number.POSITIVE_INFINITY ? `a number of at least ${min}` : `a number from ${min} to ${max}`;
  return requireOption(option, value, range, (number) => Number.isFinite(number) && number >= min && number <= max);
}
