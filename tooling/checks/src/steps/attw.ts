/**
 * "Are the types wrong?" over the tarball of each library, profile esm-only: what an ES module under Node and a bundler see.
 * CommonJS resolution is left out (`require` of an ES module is covered by the packed check).
 */
import { readFileSync } from 'node:fs';
import { type Analysis, checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind, problemKindInfo } from '@arethetypeswrong/core/problems';
import { tarballs } from '../tarballs.ts';
import type { Verdict } from '../verdict.ts';

const resolutions = ['node16-esm', 'bundler'] as const;

export async function check(root: string): Promise<Verdict> {
  const problems: string[] = [];
  for (const { name, file } of await tarballs(root)) {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(file))));
    if (analysis.types === false) problems.push(`${name}: no types found in the tarball`);
    else problems.push(...typeProblems(name, analysis));
  }
  return { problems };
}

function typeProblems(name: string, analysis: Analysis): readonly string[] {
  return analysis.problems
    .filter((problem) => resolutions.some((kind) => problemAffectsResolutionKind(problem, kind, analysis)))
    .map((problem: Problem) => {
      const { kind, ...where } = problem;
      return `${name}: ${problemKindInfo[kind].title} ${JSON.stringify(where)}`;
    });
}
