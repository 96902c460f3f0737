/**
 * What a library's built root entry reaches: `node:` modules and the dependencies it installs, nothing else.
 * An optional peer (a driver, a framework) belongs behind its own subpath. core reaches `node:` only.
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { moduleGraph, packageOf } from '../module-graph.ts';
import type { Verdict } from '../verdict.ts';
import { installedWith, libraries, type Manifest, optionalPeers, rootEntry } from '../workspace.ts';

export async function check(root: string): Promise<Verdict> {
  return {
    problems: libraries(root).flatMap(({ folder, manifest }) => rootEntryProblems(join(root, folder), manifest)),
  };
}

/** Sentences, one for each specifier the root entry may not reach. */
export function rootEntryProblems(folder: string, manifest: Manifest): readonly string[] {
  const entry = rootEntry(manifest);
  if (!existsSync(join(folder, entry))) return [`${manifest.name}: ${entry} is not built`];
  const allowed = installedWith(manifest);
  return moduleGraph(join(folder, entry))
    .externals.filter(({ specifier }) => !specifier.startsWith('node:') && !allowed.has(packageOf(specifier)))
    .map(({ specifier, file }) => {
      const reason = optionalPeers(manifest).includes(packageOf(specifier))
        ? 'an optional peer: reach it from a subpath of its own'
        : 'not a dependency of the package';
      return `${manifest.name}: ${relative(folder, file)}, reached from the root entry, imports "${specifier}", ${reason}`;
    });
}
