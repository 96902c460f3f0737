/**
 * The size of each library's root entry as a consumer's bundler would ship it: own code only, bundled and minified by rolldown
 * (everything imported by name stays outside), compressed by brotli. 1 kB is 1000 bytes. The bounds are in budgets.json.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { libraries, readJson } from '../workspace.js';

export async function check(root) {
  const { rootEntryKb } = readJson(new URL('../budgets.json', import.meta.url));
  const problems = [];
  const sizes = [];
  for (const { short, folder, manifest } of libraries(root)) {
    const entry = join(root, folder, manifest.exports['.'].default);
    const bytes = existsSync(entry) ? await shippedBytes(entry) : undefined;
    sizes.push(`${short} ${bytes === undefined ? '?' : (bytes / 1000).toFixed(1)}`);
    problems.push(...sizeProblems(short, bytes, rootEntryKb[short]));
  }
  return { problems, note: `kB: ${sizes.join(', ')}` };
}

export function sizeProblems(short, bytes, budgetKb) {
  if (bytes === undefined) return [`${short}: the root entry is not built`];
  if (budgetKb === undefined) return [`${short} has no budget in tooling/checks/src/budgets.json`];
  if (bytes <= budgetKb * 1000) return [];
  return [`${short}: the root entry ships ${bytes} bytes (brotli), its budget is ${budgetKb * 1000}`];
}

/** Bytes of the entry and the files it imports relatively, as one minified and compressed module. */
export async function shippedBytes(entry) {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    logLevel: 'silent',
    external: (specifier, importer) => importer !== undefined && !/^\.{1,2}\//.test(specifier),
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  return output.reduce((total, { code }) => total + brotliCompressSync(code).length, 0);
}
