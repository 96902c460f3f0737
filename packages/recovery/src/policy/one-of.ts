import { requireOption } from '@sage-adk/core';

/** Refuses an option that is none of these words, as a type would. */
export function requireOneOf<T extends string>(option: string, value: T, words: readonly T[]): T {
  return requireOption(option, value, `one of ${words.join(', ')}`, (word) => words.includes(word));
}
