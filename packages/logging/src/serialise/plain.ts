/**
 * Makes any value safe to write: `JSON.stringify` of the result neither throws nor runs anybody's code, and its size is bounded.
 */
import { isMap, isSet } from 'node:util/types';
import { errorFields, isError } from './error-fields.ts';
import { memberOf, textOf, unreadable } from './readable.ts';
import { redacted, type Redaction } from './redaction.ts';

export type Fields = Readonly<Record<string, unknown>>;

const limits = { depth: 8, entries: 100, values: 2_000, characters: 16_384 } as const;

/** Most fields of one line. */
export const mostEntries = limits.entries;

/** Longest text that is not cut. */
export const mostCharacters = limits.characters;

/** What one line has left, and the objects around the value at hand. */
export interface Walk {
  readonly isSecret: Redaction;
  values: number;
  readonly around: unknown[];
}

/** A walk that begins at a value of `fields`, of which `used` are written. */
export function newWalk(isSecret: Redaction, fields: Fields | undefined, used: number): Walk {
  return { isSecret, values: limits.values - used, around: [fields] };
}

/** Copies `fields` into `target`, safe to write; `reserved` names get an underscore behind them. Undefined is left out. */
export function addPlain(
  target: Record<string, unknown>,
  fields: Fields,
  isSecret: Redaction,
  reserved?: ReadonlySet<string>,
): void {
  try {
    addEntries(target, fields, newWalk(isSecret, fields, 0), reserved);
  } catch {
    target['...'] = unreadable;
  }
}

/** Text of a bounded length. */
export function boundedText(text: string): string {
  const over = text.length - limits.characters;
  return over <= 0 ? text : `${text.slice(0, limits.characters)}[+${over} characters]`;
}

function addEntries(target: Record<string, unknown>, source: object, walk: Walk, reserved?: ReadonlySet<string>): void {
  const keys = Object.keys(source);
  for (const key of keys.slice(0, limits.entries)) {
    const value = plainEntry(source, key, walk);
    if (value === undefined) continue;
    const name = boundedText(key);
    target[name === '__proto__' || reserved?.has(name) ? `${name}_` : name] = value;
  }
  if (keys.length > limits.entries) target['...'] = `[+${keys.length - limits.entries} entries]`;
}

function plainEntry(source: object, key: string, walk: Walk): unknown {
  const value = memberOf(source, key);
  return value !== undefined && value !== null && walk.isSecret(key) ? redacted : plain(value, walk);
}

/** A number where one can hold it, else text. */
export function plainBigint(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** `value` as JSON can have it. */
export function plain(value: unknown, walk: Walk): unknown {
  if (--walk.values < 0) return '[cut]';
  switch (typeof value) {
    case 'string':
      return boundedText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return plainBigint(value);
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${textOf(memberOf(value, 'name'))}]`;
    case 'object':
      return value === null ? null : plainObject(value, walk);
    case 'boolean':
    case 'undefined':
    default:
      return value;
  }
}

function plainObject(value: object, walk: Walk): unknown {
  if (walk.around.includes(value)) return '[circular]';
  if (walk.around.length > limits.depth) return '[deep]';
  walk.around.push(value);
  try {
    return plainMembers(value, walk);
  } catch {
    return unreadable;
  } finally {
    walk.around.pop();
  }
}

function plainMembers(value: object, walk: Walk): unknown {
  if (Array.isArray(value)) return plainList(value, walk);
  if (isSet(value)) return plainList([...value], walk);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  // Before its toJSON: that of some clients gives the whole request that failed.
  const error = isError(value) ? errorFields(value) : undefined;
  if (error === undefined && typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return plain((value as { toJSON(): unknown }).toJSON(), walk);
  }
  const members = error ?? (isMap(value) ? Object.fromEntries(value) : value);
  const copy: Record<string, unknown> = {};
  addEntries(copy, members, walk);
  return copy;
}

function plainList(list: readonly unknown[], walk: Walk): unknown[] {
  const copy = list.slice(0, limits.entries).map((entry) => plain(entry, walk) ?? null);
  if (list.length > limits.entries) copy.push(`[+${list.length - limits.entries} entries]`);
  return copy;
}
