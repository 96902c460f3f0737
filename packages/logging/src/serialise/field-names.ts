/** What a line has to know about the name of a field, found out once for each name, and the text of the field with its last value. */
import type { Context } from '@sage-adk/core';
import { needsNoEscape, quoted } from './json-text.ts';
import { boundedText } from './plain.ts';
import { textOf } from './readable.ts';
import type { Redaction } from './redaction.ts';

export class FieldName {
  /** The name as JSON with what stands around it: `,"name":`. */
  readonly spelt: string;
  /** {@link spelt} and the quote that a text begins with. */
  readonly #opened: string;
  /** Whether its value must not be written. */
  readonly isSecret: boolean;
  /** Its bit where it is a field of the request or of the trace, else 0. */
  readonly bit: number;
  /** Whether it is written under this name: neither reserved, nor cut, nor one that objects treat apart. */
  readonly isPlain: boolean;
  #lastValue: string | undefined;
  #lastText = '';

  constructor(name: string, isSecret: boolean) {
    this.spelt = `,${quoted(name)}:`;
    this.#opened = `${this.spelt}"`;
    this.isSecret = isSecret;
    this.bit = bitOf(name);
    this.isPlain = !reserved.has(name) && name !== '__proto__' && name === boundedText(name);
  }

  /** The field with a text as its value. Providers, models and methods are the same in many lines, ids in those of a request. */
  withText(value: string): string {
    if (value === this.#lastValue) return this.#lastText;
    // By its type it is text; a context that JavaScript made may hold anything.
    if (typeof value !== 'string') return this.withText(textOf(value));
    if (value.length > longestRemembered) return this.spelt + quoted(boundedText(value));
    const text = needsNoEscape(value) ? `${this.#opened}${value}"` : this.spelt + JSON.stringify(value);
    this.#lastValue = value;
    this.#lastText = text;
    return text;
  }
}

const longestRemembered = 64;

export type FieldNames = (name: string) => FieldName;

/** Names that only the line itself may set. */
export const reserved: ReadonlySet<string> = new Set(['ts', 'level', 'severity_number', 'msg']);

/** The fields of a request, by the member of its context. */
export const contextNames = [
  ['agent_id', 'agentId'],
  ['request_id', 'requestId'],
  ['message_id', 'messageId'],
  ['session_id', 'sessionId'],
  ['user_id', 'userId'],
  ['tenant', 'tenant'],
  ['protocol', 'protocol'],
] as const satisfies readonly (readonly [string, keyof Context])[];

const names = [...contextNames.map(([name]) => name), 'trace_id', 'span_id'];

/** The bit of a field of the request or of the trace; 0 for any other. */
export function bitOf(name: string): number {
  const at = names.indexOf(name);
  return at < 0 ? 0 : 1 << at;
}

const rememberedNames = 1_000;

export function createFieldNames(isSecret: Redaction): FieldNames {
  const known = new Map<string, FieldName>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      found = new FieldName(name, isSecret(name));
      // Names come from data as well: what is remembered must not grow with it.
      if (known.size < rememberedNames) known.set(name, found);
    }
    return found;
  };
}
