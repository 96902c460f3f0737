/**
 * The size of each library's root entry as a consumer's bundler would ship it: own code only, bundled and minified by rolldown
 * (everything imported by name stays outside), compressed by brotli. 1 kB is 1000 bytes. The bounds are in budgets.json.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { budgets } from '../budgets.ts';
import type { Verdict } from '../verdict.ts';
import { libraries, rootEntry } from '../workspace.ts';

export async function check(root: string): Promise<Verdict> {
  const problems: string[] = [];
  const sizes: string[] = [];
  for (const { short, folder, manifest } of libraries(root)) {
    const entry = join(root, folder, rootEntry(manifest));
    const bytes = existsSync(entry) ? await shippedBytes(entry) : undefined;
    sizes.push(`${short} ${bytes === undefined ? '?' : (bytes / 1000).toFixed(1)}`);
    problems.push(...sizeProblems(short, bytes, budgets.rootEntryKb[short]));
  }
  return { problems, note: `kB: ${sizes.join(', ')}` };
}

export function sizeProblems(
  short: string,
  bytes: number | undefined,
  budgetKb: number | undefined,
): readonly string[] {
  if (bytes === undefined) return [`${short}: the root entry is not built`];
  if (budgetKb === undefined) return [`${short} has no budget in tooling/checks/src/budgets.json`];
  if (bytes <= budgetKb * 1000) return [];
  return [`${short}: the root entry ships ${bytes} bytes (brotli), its budget is ${budgetKb * 1000}`];
}

/** Bytes of the entry and the files it imports relatively, as one minified and compressed module. */
export async function shippedBytes(entry: string): Promise<number> {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    logLevel: 'silent',
    external: (specifier) => !/^(?:\.{1,2})?\//.test(specifier),
  });
  const { output } = await bundle.generate({
    format: 'esm',
    minify: true,
    codeSplitting: false,
    // No source map is made; the default is a RegExp, which rolldown refuses from another realm (jest).
    sourcemapIgnoreList: false,
  });
  await bundle.close();
  return brotliCompressSync(output[0].code).length;
}
