import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { Context } from '@sage-adk/core';
import { contextAttributes, type Renamed } from './semantics.ts';

/** Our attribute names to those of a span. */
export type AttributeNames = (attribute: string) => string | Renamed;

/** Longer texts are cut to it. */
export const longestText = 1_024;

const rememberedNames = 100;

/** Names as the table says, and `prefix` with the attribute in snake case for the others; the first hundred are made once. */
export function attributeNames(prefix: string, table: Readonly<Record<string, string | Renamed>>): AttributeNames {
  const made = new Map<string, string | Renamed>(Object.entries(table));
  return (attribute) => {
    let name = made.get(attribute);
    if (name === undefined) {
      name = `${prefix}.${attribute.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}`;
      // Operations of your own may name attributes after data.
      if (made.size < rememberedNames) made.set(attribute, name);
    }
    return name;
  };
}

/** Adds what an operation says to `target`. Anything but text, numbers, booleans and lists of text is left out: content never gets on a span. */
export function addAttributes(target: Attributes, source: object, names: AttributeNames): void {
  for (const attribute of Object.keys(source)) {
    const value = (source as Readonly<Record<string, unknown>>)[attribute];
    const name = names(attribute);
    const written = attributeValue(typeof name === 'string' ? value : name.value(value));
    if (written !== undefined) target[typeof name === 'string' ? name : name.name] = written;
  }
}

const contextEntries = Object.entries(contextAttributes) as [keyof typeof contextAttributes, string][];

/** Adds the request that a span belongs to. */
export function addContext(target: Attributes, context: Context): void {
  for (const [member, name] of contextEntries) {
    const written = attributeValue(context[member]);
    if (written !== undefined) target[name] = written;
  }
}

function attributeValue(value: unknown): AttributeValue | undefined {
  switch (typeof value) {
    case 'string':
      return bounded(value);
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'boolean':
      return value;
    case 'bigint':
      return Number(value);
    default:
      return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value.map(bounded) : undefined;
  }
}

export function bounded(text: string): string {
  return text.length <= longestText ? text : text.slice(0, longestText);
}
