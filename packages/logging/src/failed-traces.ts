/**
 * Holds the DEBUG lines that sampling suppressed, and gives those of a trace back when it fails.
 *
 * Memory is bounded in lines of a trace and in characters of all: the oldest line of a trace, and the oldest trace, go first.
 */

export interface FailedTraces {
  /** Whether lines of this trace need no sampling any more. */
  hasFailed(traceId: string): boolean;
  hold(traceId: string, line: string): void;
  /** The held lines of a trace, in order, from now on failed. */
  release(traceId: string): readonly string[];
}

const remembered = 1_000;

export function createFailedTraces(linesPerTrace: number, maxCharacters = 4 * 2 ** 20): FailedTraces {
  const held = new Map<string, string[]>();
  const failed = new Set<string>();
  let characters = 0;
  const forget = (traceId: string, lines: readonly string[]): void => {
    held.delete(traceId);
    for (const line of lines) characters -= line.length;
  };
  return {
    hasFailed: (traceId) => failed.has(traceId),
    hold(traceId, line) {
      const lines = held.get(traceId) ?? [];
      held.set(traceId, lines);
      lines.push(line);
      characters += line.length;
      if (lines.length > linesPerTrace) characters -= lines.shift()?.length ?? 0;
      for (const [oldest, its] of held) {
        if (characters <= maxCharacters) break;
        forget(oldest, its);
      }
    },
    release(traceId) {
      failed.add(traceId);
      if (failed.size > remembered) failed.delete(failed.values().next().value ?? '');
      const lines = held.get(traceId) ?? [];
      forget(traceId, lines);
      return lines;
    },
  };
}
