import type { Outcome } from '../outcome.ts';
import { shared } from '../shared.ts';
import { type ErrorCategory, type ErrorDetails, SageError } from './sage-error.ts';

/** One row of a package's table of errors. */
export interface ErrorDefinition {
  readonly category: ErrorCategory;
  /** @default 'cancelled' for the category cancelled, else 'error' */
  readonly outcome?: Outcome;
  /** The HTTP status that fits. */
  readonly status: number;
  /** What happened, with which value, and what to do. `{name}` stands for `details.name`. */
  readonly message: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
}

/** Makes an error of one row; the placeholders of its message are required details. */
export interface ErrorFactory<M extends string> extends ErrorDefinition {
  (
    ...args: Placeholder<M> extends never
      ? [details?: ErrorDetails, options?: ErrorOptions]
      : [details: ErrorDetails & Details<M>, options?: ErrorOptions]
  ): SageError;
  readonly code: string;
}

type Placeholder<M extends string> = M extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;
type Details<M extends string> = { readonly [N in Placeholder<M>]: string | number | bigint };

/**
 * Declares a package's errors as a table. Each row becomes a factory whose code is `SAGE_<prefix>_<row>`; only codes that some table declares become labels.
 *
 * @param prefix the package's name in capitals.
 * @example
 * ```ts
 * const errors = defineErrors('QUEUE', {
 *   FULL: { category: 'transient', status: 503, message: 'The queue holds {size} entries, its most. Try again later.' },
 * });
 * throw errors.FULL({ size: 1024 }, { retryAfterMs: 250 });
 * ```
 */
export function defineErrors<const T extends Readonly<Record<string, ErrorDefinition>>>(
  prefix: string,
  table: T,
): { readonly [K in keyof T]: ErrorFactory<T[K]['message']> } {
  const factories: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(table)) {
    const code = `SAGE_${prefix}_${name}`;
    shared.codes.add(code);
    const make = (details: ErrorDetails = {}, { cause, retryAfterMs }: ErrorOptions = {}): SageError =>
      new SageError(fillIn(definition.message, details), { ...definition, code, details, cause, retryAfterMs });
    factories[name] = Object.assign(make, definition, { code });
  }
  return factories as { readonly [K in keyof T]: ErrorFactory<T[K]['message']> };
}

function fillIn(message: string, details: ErrorDetails): string {
  return message.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    name in details ? String(details[name]) : placeholder,
  );
}
