import { type Document, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { keysAt } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { shown, wanted } from './wording.ts';

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
    const place = placeOf(document, issue.path, never || issue.code === 'invalid_key' ? 'key' : 'value', lines);
    return [{ ...place, text: never ? `${named(issue.path)} ${issue.message}` : wrongValue(issue, document) }];
  });
}

function unknownKey(path: Path, known: readonly string[]): string {
  const key = String(path.at(-1));
  const [block = '', ...inside] = key.split('.');
  if (inside.length > 0 && known.includes(block))
    return `unknown key ${named(path)}; write ${inside.join('.')} below ${block}:`;
  const meant = nearest(key, known);
  return `unknown key ${named(path)}; ${meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`}`;
}

function wrongValue(issue: z.core.$ZodIssue, document: Document.Parsed): string {
  const name = named(issue.path);
  const node = find(document, issue.path);
  const says = wanted(issue, isScalar(node) ? node.value : undefined);
  if (node === undefined && issue.path.length > 0)
    return `${name} is missing: ${says.startsWith('is ') ? `it ${says}` : says}`;
  // That it is a block or a list says nothing where it is what stands in it that is wrong.
  if (issue.code === 'custom' && !isScalar(node) && node !== undefined) return `${name}: ${says}`;
  const got = issue.code === 'invalid_key' ? `the name "${String(issue.path.at(-1))}"` : shown(node, issue.path);
  return got.startsWith('"') && says.includes(got) ? `${name}: ${says}` : `${name}: got ${got}, ${says}`;
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
