/**
 * Values that must appear in no line, wherever they stand: in messages, stacks, keys and texts around them.
 */
import { requireOption } from '@sage-adk/core';
import { redacted } from './redaction.ts';

export interface Secrets {
  /** @throws SAGE_CORE_INVALID_OPTION for less than 6 characters, which would hide half of every line */
  add(secret: string): void;
  /** Whether one of them is in a line of JSON. */
  areIn(line: string): boolean;
  /** The record without them; the same one where none is in it. */
  hide<T extends object>(record: T): T;
}

const shortest = 6;

export function createSecrets(): Secrets {
  const known = new Set<string>();
  let spelt: readonly string[] = [];
  let raw: RegExp | undefined;
  // Looking for one text after the other is faster than an expression of them all: the few are known by rare first characters.
  const areIn = (line: string): boolean => spelt.some((text) => line.includes(text));
  return {
    add(secret) {
      requireOption('secret', secret, `a text of at least ${shortest} characters`, (text) => text.length >= shortest);
      known.add(secret);
      // The longest first: one may begin with another.
      const all = [...known].toSorted((a, b) => b.length - a.length);
      raw = anyOf(all);
      spelt = all.map((text) => JSON.stringify(text).slice(1, -1));
    },
    areIn,
    hide(record) {
      if (raw === undefined || !areIn(JSON.stringify(record))) return record;
      return without(record, raw) as typeof record;
    },
  };
}

function anyOf(texts: readonly string[]): RegExp {
  return new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join('|'), 'g');
}

function without(value: unknown, secrets: RegExp): unknown {
  if (typeof value === 'string') return value.replace(secrets, redacted);
  if (typeof value === 'number') return String(value).search(secrets) < 0 ? value : redacted;
  if (Array.isArray(value)) return value.map((entry) => without(entry, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key.replace(secrets, redacted), without(entry, secrets)]),
  );
}
