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
  return value instanceof Error || errorTags.has(Object.prototype.toString.call(value));
}

/**
 * The parts of an error that help to find its reason, and those of its causes, up to five in a row.
 *
 * @param withStack whether stacks and causes belong to it; without them it is one short object.
 */
export function errorFields(error: Error, withStack = true, depth = 1): ErrorFields {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    ...(isCode(code) && { code }),
    ...(withStack && typeof stack === 'string' && { stack }),
    ...(withStack && cause !== undefined && { cause: causeOf(cause, depth) }),
  };
}

function causeOf(cause: unknown, depth: number): unknown {
  if (!isError(cause)) return cause;
  return depth < longestChain ? errorFields(cause, true, depth + 1) : `[${cause.name}]`;
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' || typeof code === 'number';
}
