/**
 * Each library, packed, installed alone by npm into an empty project: it loads by `import` and by `require`, its README's first example that
 * is marked `ts run` runs as pasted, and it brings no driver or framework.
 *
 * Only the tarballs of the library and of its own workspace dependencies are given to npm; the rest comes as it would for a user.
 * A subpath may ask for an optional peer that is not there, and for nothing else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { budgets } from '../budgets.ts';
import { fences } from '../markdown.js';
import { packageOf } from '../module-graph.ts';
import { runCommand } from '../run-command.ts';
import { tarballs } from '../tarballs.ts';
import type { Verdict } from '../verdict.ts';
import {
  installedWith,
  libraries,
  type Library,
  type Manifest,
  optionalPeers,
  readJson,
  workspaceRoot,
} from '../workspace.ts';

/** A subpath that did not load, as the script in the empty project reports it. */
export interface FailedLoad {
  readonly specifier: string;
  readonly by: 'import' | 'require';
  readonly message: string;
  /** The package or file that was not found, if that was the reason. */
  readonly missing?: string | undefined;
}

interface Installed {
  readonly names: readonly string[];
  readonly problems: readonly string[];
}

/** None of these may arrive unasked, whatever the manifests say. */
const drivers = ['express', 'fastify', 'hono', 'ioredis', 'koa', 'pg', 'pino', 'postgres', 'redis', 'zod'];

export async function check(root: string): Promise<Verdict> {
  const all = libraries(root);
  const packed = new Map((await tarballs(root)).map(({ name, file }) => [name, file]));
  const unwanted = new Set([...drivers, ...all.flatMap(({ manifest }) => optionalPeers(manifest))]);
  const problems: string[] = [];
  const counts: string[] = [];
  for (const library of all) {
    const files = closure(library, all).flatMap((name) => packed.get(name) ?? []);
    const { names, problems: loading } = await inEmptyProject(library, files);
    counts.push(`${library.short} ${names.length}`);
    problems.push(...loading, ...installProblems(library, names, unwanted, budgets.installedPackages[library.short]));
  }
  return { problems, note: `packages: ${counts.join(', ')}` };
}

/** What is wrong with the names of the packages that were installed. */
export function installProblems(
  { short, manifest }: Pick<Library, 'short' | 'manifest'>,
  names: readonly string[],
  unwanted: ReadonlySet<string>,
  most: number | undefined,
): readonly string[] {
  const own = installedWith(manifest);
  const problems = names
    .filter((name) => unwanted.has(name) && !own.has(name))
    .map((name) => `${short}: installing it alone brings ${name}`);
  if (most === undefined) problems.push(`${short} has no installedPackages budget in tooling/checks/src/budgets.json`);
  else if (names.length > most)
    problems.push(`${short}: installs ${names.length} packages, its budget is ${most}: ${names.join(' ')}`);
  return problems;
}

/** What is wrong with the subpaths that did not load. */
export function loadProblems(manifest: Manifest, failed: readonly FailedLoad[]): readonly string[] {
  const optional = optionalPeers(manifest);
  return failed
    .filter(({ missing }) => missing === undefined || !optional.includes(packageOf(missing)))
    .map(({ specifier, by, message }) => `${by}('${specifier}') failed: ${message}`);
}

async function inEmptyProject(library: Library, files: readonly string[]): Promise<Installed> {
  const project = mkdtempSync(join(tmpdir(), `sage-packed-${library.short}-`));
  try {
    return await installAndLoad(project, library, files);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

async function installAndLoad(
  project: string,
  { short, name, folder, manifest }: Library,
  files: readonly string[],
): Promise<Installed> {
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  writeFileSync(join(project, 'load.mjs'), loader(name, manifest));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const install = await runCommand('npm', ['install', ...flags, ...files], { folder: project, timeoutMs: 120_000 });
  if (install.code !== 0) return { names: [], problems: [`${short}: npm install failed:\n${install.output.trim()}`] };
  const lock: { readonly packages: object } = readJson(join(project, 'node_modules', '.package-lock.json'));
  const names = Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13));
  const load = await runCommand(process.execPath, ['load.mjs'], { folder: project, timeoutMs: 60_000 });
  if (load.code !== 0) return { names, problems: [`${short}: loading it failed:\n${load.output.trim()}`] };
  const problems = loadProblems(manifest, JSON.parse(load.stdout));
  return { names, problems: [...problems, ...(await exampleProblems(project, short, readme(folder)))] };
}

/** What goes wrong when the first runnable example of a README is pasted into the project. */
export async function exampleProblems(project: string, short: string, text: string): Promise<readonly string[]> {
  const example = fences(text).find(({ info }) => info === 'ts run');
  if (example === undefined) return [];
  writeFileSync(join(project, 'example.ts'), example.code);
  const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];
  const run = await runCommand(process.execPath, [...quiet, 'example.ts'], { folder: project, timeoutMs: 10_000 });
  return run.code === 0 ? [] : [`${short}: the README's example does not run as pasted:\n${run.output.trim()}`];
}

function readme(folder: string): string {
  return readFileSync(join(workspaceRoot, folder, 'README.md'), 'utf8');
}

/** A script that loads every subpath both ways and prints those that failed. */
function loader(name: string, { exports = {} }: Manifest): string {
  const specifiers = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1));
  return `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const failed = [];
const tell = (specifier, by) => ({ message }) =>
  failed.push({ specifier, by, message, missing: /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1] });
for (const specifier of ${JSON.stringify(specifiers)}) {
  await import(specifier).catch(tell(specifier, 'import'));
  try { require(specifier); } catch (error) { tell(specifier, 'require')(error); }
}
console.log(JSON.stringify(failed));
process.exit(0);
`;
}

/** The library and, through them, every library of ours it depends on. */
function closure({ name, manifest }: Library, all: readonly Library[]): readonly string[] {
  const direct = all.filter((other) => manifest.dependencies?.[other.name] !== undefined);
  return [...new Set([name, ...direct.flatMap((other) => closure(other, all))])];
}
