/**
 * The fields of a line as text, written as they come and without an object between.
 *
 * It takes what nearly all fields are: each name once, and none that the line or its logger has. Anything else makes it {@link FieldText.isOdd}, and the
 * line is made of a record instead.
 */
import type { FieldName, FieldNames } from './field-names.ts';
import { type Fields, mostEntries, newWalk, plain, plainBigint, type Walk } from './plain.ts';
import { redacted, type Redaction } from './redaction.ts';

const redactedText = JSON.stringify(redacted);

export class FieldText {
  text = '';
  /** The fields of the request and of the trace that are replaced. */
  bits = 0;
  isOdd = false;
  readonly #names: FieldNames;
  readonly #isSecret: Redaction;
  readonly #taken: ReadonlySet<string>;
  #fields: Fields | undefined;
  #walk: Walk | undefined;
  #values = 0;

  /** @param taken names that the line has already. */
  constructor(names: FieldNames, isSecret: Redaction, taken: ReadonlySet<string>) {
    this.#names = names;
    this.#isSecret = isSecret;
    this.#taken = taken;
  }

  /** Throws where something cannot be read. */
  addAll(fields: Fields): void {
    this.#fields = fields;
    const keys = Object.keys(fields);
    if (keys.length > mostEntries) this.isOdd = true;
    else for (const key of keys) this.add(key, fields[key]);
  }

  /** Adds a field; undefined is left out. Each name only once. */
  add(key: string, value: unknown): void {
    if (value !== undefined) this.addNamed(key, this.#names(key), value);
  }

  /** What {@link addNamed} has to know of a name; it stays the same for all lines of a logger. */
  nameOf(key: string): FieldName {
    return this.#names(key);
  }

  addNamed(key: string, name: FieldName, value: unknown): void {
    if (!name.isPlain || (this.#taken.size > 0 && this.#taken.has(key))) this.isOdd = true;
    const text = this.#fieldOf(name, value);
    if (text === undefined) return;
    this.bits |= name.bit;
    this.text += text;
  }

  /** Adds fields that are spelt already: `,"name":value`. */
  addSpelt(keys: readonly string[], text: string): void {
    if (this.#taken.size > 0 && keys.some((key) => this.#taken.has(key))) this.isOdd = true;
    this.text += text;
  }

  /** A text of its own for some of the fields of a line, to be added by {@link append}. */
  part(): FieldText {
    return new FieldText(this.#names, this.#isSecret, this.#taken);
  }

  /** Adds the fields of `part`, as often as they are the same. */
  append(part: FieldText): void {
    this.text += part.text;
    this.bits |= part.bits;
    if (part.isOdd) this.isOdd = true;
  }

  #fieldOf(name: FieldName, value: unknown): string | undefined {
    const used = this.#values++;
    if (name.isSecret && value !== null) return name.spelt + redactedText;
    switch (typeof value) {
      case 'string':
        return name.withText(value);
      case 'number':
        return Number.isFinite(value) ? name.spelt + String(value) : this.#fieldOf(name, String(value));
      case 'boolean':
        return `${name.spelt}${value}`;
      case 'bigint':
        return this.#fieldOf(name, plainBigint(value));
      default: {
        this.#walk ??= newWalk(this.#isSecret, this.#fields, used);
        // Undefined where a toJSON says so.
        const text: string | undefined = JSON.stringify(plain(value, this.#walk));
        return text === undefined ? undefined : name.spelt + text;
      }
    }
  }
}
