/**
 * Lines for people: time, level, message, then `name=value`; stacks stand below, indented.
 *
 * Nothing in a value can forge a line or steer a terminal: line breaks and control characters are written as escapes.
 */
import type { LineRecord } from '../record.ts';

export function textLine(record: LineRecord): string {
  const { ts, level, severity_number: _, msg, ...fields } = record;
  const parts = [`${ts} ${level.padEnd(5)} ${escaped(msg)}`];
  const stacks: string[] = [];
  for (const [name, value] of Object.entries(fields))
    parts.push(`${bare(name)}=${valueText(withoutStack(value, stacks))}`);
  return [parts.join(' '), ...stacks].join('\n');
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? bare(value) : escaped(JSON.stringify(value));
}

/** As it is where that cannot be misread, else as a JSON string. */
function bare(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : escaped(JSON.stringify(text));
}

/** Takes the stack, and those of the causes, out of an error field. */
function withoutStack(value: unknown, stacks: string[]): unknown {
  if (typeof value !== 'object' || value === null || typeof (value as { stack?: unknown }).stack !== 'string')
    return value;
  const { stack, cause, ...rest } = value as { stack: string; cause?: unknown };
  stacks.push(...stack.split('\n').map((line) => `    ${escaped(line)}`));
  return cause === undefined ? rest : { ...rest, cause: withoutStack(cause, stacks) };
}

function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
