/**
 * Keys that a package knows and this agent does not act on yet. One that stands in a file is an error: a limit or a safeguard that is written down and
 * does nothing is worse than none.
 */
export const unwired: readonly (readonly string[])[] = [
  ['recovery', 'fallback'],
  ['recovery', 'dlq'],
];
