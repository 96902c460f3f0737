import { z } from 'zod';
import { oneOf } from './wording.ts';

/** One of `supported`; a value of `later` is told apart from a mistake. */
export function choice<const T extends string>(supported: readonly T[], later: readonly string[]) {
  return z.custom<T>((value) => (supported as readonly unknown[]).includes(value), {
    error: ({ input }) => {
      const isLater = typeof input === 'string' && later.includes(input);
      return isLater
        ? `"${input}" is known but not supported yet; wanted ${supported.join(' or ')}`
        : oneOf(supported, input);
    },
  });
}
