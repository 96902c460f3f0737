/**
 * Values that must appear in no line, wherever they stand: in messages, stacks, keys and texts around them.
 */
import { requireOption } from '@sage-adk/core';
import { mostCharacters } from './plain.ts';
import { redacted } from './redaction.ts';

export interface Secrets {
  /** @throws SAGE_CORE_INVALID_OPTION for less than 6 characters, which would hide half of every line */
  add(secret: string): void;
  /** Whether one of them is in a line of JSON, or may be. */
  areIn(line: string): boolean;
  /** The record without them; the same one where none is in it. */
  hide<T extends object>(record: T): T;
}

const shortest = 6;

export function createSecrets(): Secrets {
  const known = new Set<string>();
  let all: readonly string[] = [];
  let spelt: readonly string[] = [];
  let whole: RegExp | undefined;
  // Looking for one text after the other is faster than an expression of them all: the few are known by rare first characters.
  const areIn = (line: string): boolean =>
    spelt.some((text) => line.includes(text)) || (whole !== undefined && line.length > mostCharacters);
  return {
    add(secret) {
      // An error about a secret must not tell it.
      const isLongEnough = typeof secret === 'string' && secret.length >= shortest;
      requireOption('secret', redacted, `a text of at least ${shortest} characters`, () => isLongEnough);
      for (const form of formsOf(secret)) known.add(form);
      // The longest first: one may begin with another.
      all = [...known].toSorted((a, b) => b.length - a.length);
      whole = anyOf(all);
      spelt = all.map(inJson);
    },
    areIn,
    hide(record) {
      if (whole === undefined || !areIn(JSON.stringify(record))) return record;
      return without(record, whole, all) as typeof record;
    },
  };
}

/** A text as it is, in JSON, and in JSON that is a text in JSON. */
function formsOf(text: string): readonly string[] {
  return [text, inJson(text), inJson(inJson(text))];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function anyOf(texts: readonly string[]): RegExp {
  return new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join('|'), 'g');
}

function without(value: unknown, whole: RegExp, all: readonly string[]): unknown {
  if (typeof value === 'string') return withoutCut(value.replace(whole, redacted), all);
  if (typeof value === 'number') return String(value).search(whole) < 0 ? value : redacted;
  if (Array.isArray(value)) return value.map((entry) => without(entry, whole, all));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map((entry) => entry.map((part) => without(part, whole, all))));
}

/** Where a long text was cut, a secret may have been cut with it. */
function withoutCut(text: string, all: readonly string[]): string {
  const [mark] = /\[\+\d+ characters\]$/.exec(text) ?? [];
  if (mark === undefined) return text;
  const kept = text.slice(0, -mark.length);
  for (const secret of all) {
    for (let length = secret.length - 1; length >= shortest; length--)
      if (kept.endsWith(secret.slice(0, length))) return kept.slice(0, -length) + redacted + mark;
  }
  return text;
}
