import { memberOf, textOf } from './readable.ts';

/** An error as a field of a line. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: unknown;
}

const longestChain = 5;

const errorTags: ReadonlySet<string> = new Set(['[object Error]', '[object DOMException]']);

/** Whether it is an error, of this realm or of another one. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || errorTags.has(Object.prototype.toString.call(value));
  } catch {
    return false;
  }
}

/**
 * The parts of an error that help to find its reason, and those of its causes, up to five in a row. Members that throw are told as unreadable.
 *
 * @param withStack whether stacks and causes belong to it; without them it is one short object.
 */
export function errorFields(error: Error, withStack = true, depth = 1): ErrorFields {
  const stack = memberOf(error, 'stack');
  const cause = memberOf(error, 'cause');
  const code = memberOf(error, 'code');
  return {
    type: memberOf(error, 'name') as string,
    message: memberOf(error, 'message') as string,
    ...(isCode(code) && { code }),
    ...(withStack && typeof stack === 'string' && { stack }),
    ...(withStack && cause !== undefined && { cause: causeOf(cause, depth) }),
  };
}

function causeOf(cause: unknown, depth: number): unknown {
  if (!isError(cause)) return cause;
  return depth < longestChain ? errorFields(cause, true, depth + 1) : `[${textOf(memberOf(cause, 'name'))}]`;
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' || typeof code === 'number';
}
