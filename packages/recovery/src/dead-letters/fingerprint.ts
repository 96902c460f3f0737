/** One name for failures of one kind: what differs from one failure to the next is left out. */
import { createHash } from 'node:crypto';
import type { DeadLetterError } from './letter.ts';

/** 16 hex digits of category, reason, name, message without ids and numbers, and the two top frames of the program's own code. */
export function fingerprintOf({ category, reason, name, message, stack }: DeadLetterError): string {
  const parts = [category, reason, name, normalised(message), ...ownFrames(stack)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The message with ids, numbers, quoted text and addresses replaced, so that two failures of one kind read alike. */
export function normalised(message: string): string {
  return message
    .slice(0, 2_000)
    .replaceAll(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\bhttps?:\/\/[^\s"']+/g, '<url>')
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '<text>')
    .replaceAll(/\b(?=[\w-]*\d)[\w-]{8,}\b/g, '<id>')
    .replaceAll(/\b0x[0-9a-f]+\b/gi, '<n>')
    .replaceAll(/\d+(?:[.:]\d+)*/g, '<n>')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

// Function and file without line and column: those move with each change of the file.
function ownFrames(stack: string | undefined): readonly string[] {
  if (stack === undefined) return [];
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node_modules|node:|<anonymous>$/.test(line))
    .slice(0, 2)
    .map((line) =>
      line
        .trim()
        .replace(/:\d+:\d+\)?$/, '')
        .replace(/\(?(?:file:\/\/)?\S*[/\\]/, ''),
    );
}
