/** The line at the end of an operation. */
import { type Context, type OperationRecord, trace, type TraceIds } from '@sage-adk/core';
import type { LogLevel } from './level.ts';
import type { WritingEntry } from './output.ts';
import { errorFields, isError } from './serialise/error-fields.ts';
import type { FieldText } from './serialise/field-text.ts';
import type { Fields } from './serialise/plain.ts';
import { snakeCase } from './snake-case.ts';

export interface OperationLineParts {
  readonly level: LogLevel;
  readonly category: string | undefined;
  readonly failed: boolean;
  /** Errors whose stack stands in a line already. */
  readonly printed: WeakSet<object>;
}

export class OperationLine implements WritingEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly context: Context | undefined;
  readonly trace: TraceIds | undefined;
  readonly failed: boolean;
  readonly #operation: OperationRecord;
  readonly #category: string | undefined;
  readonly #printed: WeakSet<object>;
  /** Made once: it depends on what was printed before. */
  #err: unknown;

  constructor(operation: OperationRecord, { level, category, failed, printed }: OperationLineParts) {
    this.level = level;
    this.message = operation.name;
    this.context = operation.context;
    this.trace = trace(operation);
    this.failed = failed;
    this.#operation = operation;
    this.#category = category;
    this.#printed = printed;
  }

  get fields(): Fields {
    const { name, outcome, code, category, start, attributes } = this.#operation;
    const fields: Record<string, unknown> = {
      category: this.#category,
      operation: name,
      outcome,
      duration_ms: this.#durationMs(),
    };
    for (const [key, value] of [...Object.entries(start), ...Object.entries(attributes)]) {
      if (value !== undefined) fields[snakeCase(key)] = value;
    }
    return { ...fields, code, error_category: category, err: this.#error() };
  }

  addTo(text: FieldText): void {
    const { name, outcome, code, category, error } = this.#operation;
    const { start, attributes }: { readonly start: Fields; readonly attributes: Fields } = this.#operation;
    text.add('category', this.#category);
    text.add('operation', name);
    text.add('outcome', outcome);
    text.add('duration_ms', this.#durationMs());
    for (const key of Object.keys(start)) if (attributes[key] === undefined) addAttribute(text, key, start[key]);
    for (const key of Object.keys(attributes)) addAttribute(text, key, attributes[key]);
    text.add('code', code);
    text.add('error_category', category);
    if (error !== undefined) text.add('err', this.#error());
  }

  #durationMs(): number {
    return Math.round(this.#operation.durationMs * 1_000) / 1_000;
  }

  /** The whole error where it is met first; afterwards, and for what nobody has to look into, what it is. */
  #error(): unknown {
    const { error, outcome } = this.#operation;
    if (!isError(error)) return error;
    if (this.#err === undefined) {
      const isFirst = !this.#printed.has(error) && (outcome === 'error' || outcome === 'timeout');
      if (isFirst) this.#printed.add(error);
      this.#err = errorFields(error, isFirst);
    }
    return this.#err;
  }
}

const ownNames: ReadonlySet<string> = new Set([
  'category',
  'operation',
  'outcome',
  'duration_ms',
  'code',
  'error_category',
  'err',
]);

function addAttribute(text: FieldText, key: string, value: unknown): void {
  const name = snakeCase(key);
  // Two fields of one name are told apart by the object that `fields` gives.
  if (ownNames.has(name) || (name === key && name.includes('_'))) text.isOdd = true;
  text.add(name, value);
}
