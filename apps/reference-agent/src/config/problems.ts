import { type Document, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { keysAt } from './known-keys.ts';
import { nearest } from './nearest.ts';

/** A place of a configuration file, both counted from 1, and what is wrong there. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

type Path = readonly PropertyKey[];

/** What a schema has against a document, each with the place where it stands. */
export function problemsOf(
  error: z.ZodError,
  schema: z.ZodType,
  document: Document.Parsed,
  lines: LineCounter,
): readonly Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return { ...placeOf(document, path, 'key', lines), text: unknownKey(path, keysAt(schema, issue.path)) };
      });
    }
    const never = issue.code === 'invalid_type' && issue.expected === 'never';
    const place = placeOf(document, issue.path, never ? 'key' : 'value', lines);
    return [{ ...place, text: never ? `${named(issue.path)} ${issue.message}` : wrongValue(issue, document) }];
  });
}

function unknownKey(path: Path, known: readonly string[]): string {
  const meant = nearest(String(path.at(-1)), known);
  return `unknown key ${named(path)}; ${meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`}`;
}

function wrongValue(issue: z.core.$ZodIssue, document: Document.Parsed): string {
  const node = find(document, issue.path);
  if (node === undefined && issue.path.length > 0) return `${named(issue.path)} is missing: ${wanted(issue)}`;
  const got = shown(node);
  const says = wanted(issue);
  return says.includes(got) ? `${named(issue.path)}: ${says}` : `${named(issue.path)}: got ${got}, ${says}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a block of keys',
  record: 'a block of keys',
  array: 'a list',
};

function wanted(issue: z.core.$ZodIssue): string {
  // zod's own messages begin so; any other was written by the schema and knows better.
  if (!/^(?:Invalid|Too) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `wanted ${typeNames[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `wanted ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `wanted ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `wanted ${issue.values.map(String).join(' or ')}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function shown(node: Node | undefined): string {
  if (isMap(node)) return 'a block of keys';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  // What stands before the host of a URL is a secret.
  const text = JSON.stringify(node.value).replace(/\/\/[^/]*@/, '//...@');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function named(path: Path): string {
  return path.length === 0 ? 'the configuration' : path.map(String).join('.');
}

/** Where the key or the value at `path` stands, or the nearest block around it that is there. */
function placeOf(
  document: Document.Parsed,
  path: Path,
  part: 'key' | 'value',
  lines: LineCounter,
): Omit<Problem, 'text'> {
  const node = part === 'key' ? keyOf(find(document, path.slice(0, -1)), path.at(-1)) : find(document, path);
  if (node?.range != null) {
    const { line, col } = lines.linePos(node.range[0]);
    return { line, column: col };
  }
  return path.length === 0 ? { line: 1, column: 1 } : placeOf(document, path.slice(0, -1), part, lines);
}

function find(document: Document.Parsed, path: Path): Node | undefined {
  let node: Node | undefined = document.contents ?? undefined;
  for (const step of path) {
    if (isMap(node)) node = node.get(step, true) as Node | undefined;
    else if (isSeq(node)) node = node.get(step, true) as Node | undefined;
    else return undefined;
  }
  return node;
}

function keyOf(node: Node | undefined, key: PropertyKey | undefined): Node | undefined {
  if (!isMap(node)) return undefined;
  return node.items
    .map((pair) => pair.key as Node)
    .find((found) => isScalar(found) && String(found.value) === String(key));
}
