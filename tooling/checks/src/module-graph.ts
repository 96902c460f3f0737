/** Which modules a built entry reaches: the files of its own package it loads, and the packages it asks for. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ESTree, parseSync, Visitor } from 'rolldown/utils';

export interface ModuleGraph {
  /** Absolute, the entry first. */
  readonly files: readonly string[];
  /** Everything imported by name, with the file that asks for it. */
  readonly externals: readonly { readonly specifier: string; readonly file: string }[];
}

/** Walks over static and dynamic imports, re-exports, `require('x')` and `new URL('./x.js', import.meta.url)` (workers). */
export function moduleGraph(entry: string): ModuleGraph {
  const files = new Set<string>();
  const externals: { specifier: string; file: string }[] = [];
  const queue = [resolve(entry)];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of specifiersOf(file)) {
      if (/^\.{1,2}\//.test(specifier)) queue.push(resolve(dirname(file), specifier));
      else externals.push({ specifier, file });
    }
  }
  return { files: [...files], externals };
}

/** `@scope/name/sub` is of the package `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function specifiersOf(file: string): readonly string[] {
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const found: string[] = [];
  const add = (source: ESTree.Expression | ESTree.Argument | null | undefined): void => {
    if (source?.type === 'Literal' && typeof source.value === 'string') found.push(source.value);
  };
  new Visitor({
    ImportDeclaration: ({ source }) => add(source),
    ExportAllDeclaration: ({ source }) => add(source),
    ExportNamedDeclaration: ({ source }) => add(source),
    ImportExpression: ({ source }) => add(source),
    CallExpression: ({ callee, arguments: [argument] }) => {
      if (nameOf(callee) === 'require') add(argument);
    },
    NewExpression: ({ callee, arguments: [argument] }) => {
      const isFile = argument?.type === 'Literal' && /^\.{1,2}\/.*\.js$/.test(String(argument.value));
      if (nameOf(callee) === 'URL' && isFile) add(argument);
    },
  }).visit(program);
  return found;
}

function nameOf(callee: ESTree.Expression): string | undefined {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier' ? callee.property.name : undefined;
}
