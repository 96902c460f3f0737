/** The line at the end of an operation. */
import { type Context, type OperationRecord, type Outcome, trace, type TraceIds } from '@sage-adk/core';
import type { LogLevel } from './level.ts';
import type { WritingEntry } from './output.ts';
import { errorFields, isError } from './serialise/error-fields.ts';
import type { FieldName } from './serialise/field-names.ts';
import type { FieldText } from './serialise/field-text.ts';
import type { Fields } from './serialise/plain.ts';
import { memberOf } from './serialise/readable.ts';
import { thousandths } from './serialise/thousandths.ts';
import { snakeCase } from './snake-case.ts';

interface Attribute {
  readonly key: string;
  readonly spelt: string;
  readonly name: FieldName;
  /** Whether its name may stand in a line for something else as well. */
  readonly isOdd: boolean;
}

/** What an operation said at its start, and the text of that. */
interface WrittenStart {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
  readonly text: FieldText;
}

const rememberedAttributes = 100;

/** What the lines of all operations of one name have in common, for one logger. Most operations are like the one before, so what was found out for it is kept. */
export class OperationForm {
  readonly name: string;
  readonly category: string | undefined;
  readonly #heads: Partial<Record<Outcome, string>> = {};
  readonly #attributes: Map<string, Attribute> = new Map();
  #lastStart: WrittenStart | undefined;
  /** What the last one learned, in its order. */
  #learned: Attribute[] = [];

  constructor(name: string, category: string | undefined) {
    this.name = name;
    this.category = category;
  }

  /** The first fields, up to the value of the duration. */
  head(outcome: Outcome): string {
    return (this.#heads[outcome] ??= this.#headOf(outcome));
  }

  /** Adds what an operation said at its start, and what it learned since. */
  addTo(text: FieldText, start: Fields, attributes: Fields): void {
    const last = this.#lastStart;
    text.append(last !== undefined && saysSame(last, start) ? last.text : this.#writeStart(text.part(), start));
    let place = 0;
    for (const key in attributes) {
      // In a loop over an object's names V8 knows this answer; that of Object.hasOwn it asks for.
      if (!Object.prototype.hasOwnProperty.call(attributes, key)) continue;
      const known = this.#learned[place];
      const attribute = known?.key === key ? known : this.#learn(place, key, text, start);
      place++;
      add(text, attribute, attributes[key]);
    }
  }

  #writeStart(text: FieldText, start: Fields): FieldText {
    const keys = Object.keys(start);
    const values = keys.map((key) => start[key]);
    for (const key of keys) add(text, this.#attributeOf(key, text), start[key]);
    // The same object may say something else the next time.
    this.#lastStart = values.some((value) => typeof value === 'object') ? undefined : { keys, values, text };
    this.#learned = [];
    return text;
  }

  #learn(place: number, key: string, text: FieldText, start: Fields): Attribute {
    const attribute = this.#attributeOf(key, text);
    // What is said again takes the place of what was said at the start.
    const learned = key in start ? { ...attribute, isOdd: true } : attribute;
    if (place < rememberedAttributes) this.#learned[place] = learned;
    return learned;
  }

  #attributeOf(key: string, text: FieldText): Attribute {
    return this.#attributes.get(key) ?? this.#remember(key, text);
  }

  #remember(key: string, text: FieldText): Attribute {
    const spelt = snakeCase(key);
    // Two fields of one name are told apart by the object that `fields` gives. One of them is not spelt as ours are: fooBar, neither fooBAR nor foo_bar.
    const isOdd = ownNames.has(spelt) || /^[A-Z]|[A-Z]{2}|_/.test(key);
    const attribute = { key, spelt, name: text.nameOf(spelt), isOdd };
    // Operations of your own may name attributes after data.
    if (this.#attributes.size < rememberedAttributes) this.#attributes.set(key, attribute);
    return attribute;
  }

  #headOf(outcome: Outcome): string {
    const { category, name } = this;
    return `,${JSON.stringify({ category, operation: name, outcome }).slice(1, -1)},"duration_ms":`;
  }
}

// Member by member, as the same object may say something else by now.
function saysSame({ keys, values }: WrittenStart, start: Fields): boolean {
  let place = 0;
  for (const key in start) {
    if (key !== keys[place] || start[key] !== values[place]) return false;
    place++;
  }
  return place === keys.length;
}

function add(text: FieldText, { spelt, name, isOdd }: Attribute, value: unknown): void {
  if (value === undefined) return;
  if (isOdd) text.isOdd = true;
  text.addNamed(spelt, name, value);
}

const headNames = ['category', 'operation', 'outcome', 'duration_ms'];

export interface OperationLineParts {
  readonly level: LogLevel;
  readonly form: OperationForm;
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
  readonly #form: OperationForm;
  readonly #printed: WeakSet<object>;
  /** Made once: it depends on what was printed before. */
  #err: unknown;

  constructor(operation: OperationRecord, { level, form, failed, printed }: OperationLineParts) {
    this.level = level;
    this.message = operation.name;
    this.context = operation.context;
    this.trace = trace(operation);
    this.failed = failed;
    this.#operation = operation;
    this.#form = form;
    this.#printed = printed;
  }

  get fields(): Fields {
    const { name, outcome, durationMs, code, category, start, attributes } = this.#operation;
    const fields: Record<string, unknown> = {
      category: this.#form.category,
      operation: name,
      outcome,
      duration_ms: Math.round(durationMs * 1_000) / 1_000,
    };
    for (const said of [start, attributes]) {
      for (const key of Object.keys(said)) {
        const value = memberOf(said, key);
        if (value !== undefined) fields[snakeCase(key)] = value;
      }
    }
    return { ...fields, code, error_category: category, err: this.#error() };
  }

  addTo(text: FieldText): void {
    const { outcome, code, category, error } = this.#operation;
    const { start, attributes }: { readonly start: Fields; readonly attributes: Fields } = this.#operation;
    text.addSpelt(headNames, this.#form.head(outcome) + thousandths(this.#operation.durationMs));
    this.#form.addTo(text, start, attributes);
    text.add('code', code);
    text.add('error_category', category);
    if (error !== undefined) text.add('err', this.#error());
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
