/**
 * "Are the types wrong?" over the tarball of each library, profile esm-only: what an ES module under Node and a bundler see.
 * CommonJS resolution is left out (`require` of an ES module is covered by the packed check).
 */
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind, problemKindInfo } from '@arethetypeswrong/core/problems';
import { tarballs } from '../tarballs.js';

const resolutions = ['node16-esm', 'bundler'];

export async function check(root) {
  const problems = [];
  for (const [name, file] of await tarballs(root)) {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(file))));
    if (!analysis.types) {
      problems.push(`${name}: no types found in the tarball`);
      continue;
    }
    problems.push(
      ...analysis.problems
        .filter((problem) => resolutions.some((kind) => problemAffectsResolutionKind(problem, kind, analysis)))
        .map((problem) => {
          const { kind, entrypoint = '', resolutionKind = '', ...where } = problem;
          return `${name}${entrypoint.slice(1)} ${resolutionKind}: ${problemKindInfo[kind].title} ${JSON.stringify(where)}`;
        }),
    );
  }
  return { problems };
}
