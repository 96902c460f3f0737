/** How problems of a configuration are told: what stands there, what is wanted, and in which unit. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a block of keys',
  record: 'a block of keys',
  array: 'a list',
};

/** What the schema wants in place of `value`. */
export function wanted(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_key') return issue.issues.map((each) => wanted(each, undefined)).join(', ');
  if (issue.code === 'invalid_format' && issue.format === 'url' && issue.message.startsWith('Invalid '))
    return 'wanted a URL such as https://host:8080';
  // zod's own messages begin so; any other was written by the schema and knows better.
  if (!/^(?:Invalid|Too) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'number' || issue.expected === 'int'
        ? wantedNumber(issue, value)
        : `wanted ${typeNames[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'wanted a text that is not empty';
      return `wanted ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${countOf(issue.origin)}`;
    case 'too_big':
      return `wanted ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${countOf(issue.origin)}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), value);
    default:
      return issue.message;
  }
}

/** One of `names`, with the one that was probably meant. */
export function oneOf(names: readonly string[], value: unknown): string {
  const meant = typeof value === 'string' ? nearest(value, names) : undefined;
  return `wanted ${names.join(' or ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** What stands there, unless nobody may see it: what was put in the place of a key's hash may be the key. */
export function shown(node: Node | undefined, path: readonly PropertyKey[]): string {
  if (isMap(node)) return 'a block of keys';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  const { value } = node;
  if (isSecret(path)) return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
  if (typeof value === 'number') return String(value);
  // What stands before the host of a URL is a secret.
  const text = JSON.stringify(value).replace(/\/\/.*@/, '//...@');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** At `api_key`, at `sha256`, and where an entry of `api_keys` should stand. */
function isSecret(path: readonly PropertyKey[]): boolean {
  const key = typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1);
  return /^(?:api_keys?|sha256)$/.test(String(key));
}

function countOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

/** Numbers have one unit each, so that none is written with it. */
function wantedNumber({ path, expected }: Extract<Issue, { code: 'invalid_type' }>, value: unknown): string {
  const number = expected === 'int' ? 'a whole number' : 'a number';
  if (typeof value === 'number') return `wanted ${Number.isFinite(value) ? number : `${number} that is finite`}`;
  if (typeof value !== 'string' || !/^[-+$~<>]?\s*\.?\d/.test(value)) return `wanted ${number}${ofUnit(path)}`;
  if (Number.isFinite(Number(value))) return `wanted ${number}, without the quotes`;
  return `wanted ${number}${ofUnit(path)}, without ${/^[-+\d\s_,.']+$/.test(value) ? 'separators' : 'a unit'}`;
}

const units: readonly (readonly [RegExp, string])[] = [
  [/(?:_ms)$/, 'milliseconds'],
  [/(?:_seconds|timeout|interval|^window|^slow_call)$/, 'seconds'],
  [/_hours$/, 'hours'],
  [/_days$/, 'days'],
  [/_bytes$/, 'bytes'],
  [/^(?:max_cost_per_hour|cost_usd)$/, 'US dollars'],
  [/^(?:input|cached_input|output)$/, 'US dollars for a million tokens'],
];

function ofUnit(path: readonly PropertyKey[]): string {
  const key = String(path.at(-1));
  if (/(?:_ratio|^sampling_rate|^availability|^latency)$/.test(key)) return ' from 0 to 1';
  const unit = units.find(([keys]) => keys.test(key))?.[1];
  return unit === undefined ? '' : ` of ${unit}`;
}
