import { z } from 'zod';
import { nearest } from './nearest.ts';

/** One of `supported`; a value of `later` is told apart from a mistake. */
export function choice<const T extends string>(supported: readonly T[], later: readonly string[]) {
  return z.custom<T>((value) => (supported as readonly unknown[]).includes(value), {
    error: ({ input }) => {
      const wanted = `wanted ${supported.join(' or ')}`;
      if (typeof input !== 'string') return wanted;
      if (later.includes(input)) return `"${input}" is known but not supported yet; ${wanted}`;
      const meant = nearest(input, supported);
      return meant === undefined ? wanted : `${wanted}; did you mean ${meant}?`;
    },
  });
}
