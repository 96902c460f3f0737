/** Which modules a built entry reaches: the files of its own package it loads, and the packages it asks for. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/**
 * Walks from `entry` over static and dynamic imports, re-exports, `require('x')` and `new URL('./x.js', import.meta.url)` (workers).
 *
 * @returns `{ files, externals }`; an external is `{ specifier, file }`, the file that asks for it.
 */
export function moduleGraph(entry) {
  const files = new Set();
  const externals = [];
  const queue = [resolve(entry)];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of specifiersOf(readFileSync(file, 'utf8'))) {
      if (/^\.{1,2}\//.test(specifier)) queue.push(resolve(dirname(file), specifier));
      else externals.push({ specifier, file });
    }
  }
  return { files: [...files], externals };
}

/** `@scope/name/sub` is of the package `@scope/name`. */
export const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function specifiersOf(code) {
  const found = [];
  visit(parseAst(code), (node) => {
    const specifier = specifierOf(node);
    if (typeof specifier === 'string') found.push(specifier);
  });
  return found;
}

function specifierOf(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
      return node.source?.value;
    case 'CallExpression':
      return node.callee.name === 'require' || node.callee.property?.name === 'require'
        ? node.arguments[0]?.value
        : undefined;
    case 'NewExpression':
      return node.callee.name === 'URL' && /^\.{1,2}\/.*\.js$/.test(node.arguments[0]?.value)
        ? node.arguments[0].value
        : undefined;
    default:
      return undefined;
  }
}

function visit(node, look) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') look(node);
  for (const value of Object.values(node)) visit(value, look);
}
