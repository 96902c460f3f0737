/**
 * Each library, packed, installed alone by npm into an empty project: it loads by `import` and by `require`, and brings no driver or framework.
 *
 * Only the tarballs of the library and of its own workspace dependencies are given to npm; the rest comes as it would for a user.
 * A subpath may ask for an optional peer that is not there, and for nothing else.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageOf } from '../module-graph.js';
import { runCommand } from '../run-command.js';
import { tarballs } from '../tarballs.js';
import { libraries, readJson } from '../workspace.js';

/** None of these may arrive unasked, whatever the manifests say. */
const drivers = ['express', 'fastify', 'hono', 'ioredis', 'koa', 'pg', 'pino', 'postgres', 'redis', 'zod'];

export async function check(root) {
  const { installedPackages } = readJson(new URL('../budgets.json', import.meta.url));
  const all = libraries(root);
  const packed = await tarballs(root);
  const unwanted = new Set([...drivers, ...all.flatMap(({ manifest }) => optionalPeers(manifest))]);
  const problems = [];
  const counts = [];
  for (const library of all) {
    const project = mkdtempSync(join(tmpdir(), `sage-packed-${library.short}-`));
    try {
      const found = await installAlone(
        project,
        library,
        closure(library, all).map((name) => packed.get(name)),
      );
      const installed = found.installed ?? [];
      counts.push(`${library.short} ${installed.length}`);
      problems.push(
        ...found.problems,
        ...installProblems(library, installed, unwanted, installedPackages[library.short]),
      );
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  }
  return { problems, note: `packages: ${counts.join(', ')}` };
}

/** What is wrong with the list of installed package names. */
export function installProblems({ short, manifest }, installed, unwanted, most) {
  const own = new Set([...Object.keys(manifest.dependencies ?? {}), ...requiredPeers(manifest)]);
  const problems = installed
    .filter((name) => unwanted.has(name) && !own.has(name))
    .map((name) => `${short}: installing it alone brings ${name}`);
  if (most === undefined) problems.push(`${short} has no installedPackages budget in tooling/checks/src/budgets.json`);
  if (installed.length > most)
    problems.push(`${short}: installs ${installed.length} packages, its budget is ${most}: ${installed.join(' ')}`);
  return problems;
}

/** What is wrong with the way the subpaths load; `loads` is what {@link loader} prints. */
export function loadProblems({ manifest }, loads) {
  const optional = new Set(optionalPeers(manifest));
  return loads
    .filter(({ missing }) => missing === undefined || !optional.has(packageOf(missing)))
    .map(({ specifier, by, message }) => `${by}('${specifier}') failed: ${message}`);
}

async function installAlone(project, library, files) {
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  writeFileSync(join(project, 'load.mjs'), loader(library));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const install = await runCommand('npm', ['install', ...flags, ...files], { cwd: project, timeoutMs: 120_000 });
  if (install.code !== 0) return { problems: [`${library.short}: npm install failed:\n${install.output.trim()}`] };
  const lock = readJson(join(project, 'node_modules', '.package-lock.json'));
  const installed = Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1));
  const load = await runCommand(process.execPath, ['load.mjs'], { cwd: project, timeoutMs: 60_000 });
  if (load.code !== 0) return { installed, problems: [`${library.short}: loading it failed:\n${load.output.trim()}`] };
  return { installed, problems: loadProblems(library, JSON.parse(load.stdout)) };
}

/** A script that loads every subpath both ways and prints those that failed. */
function loader({ name, manifest }) {
  const specifiers = Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1));
  return `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const failed = [];
const tell = (specifier, by) => (error) =>
  failed.push({ specifier, by, message: error.message, missing: /Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1] });
for (const specifier of ${JSON.stringify(specifiers)}) {
  await import(specifier).catch(tell(specifier, 'import'));
  try { require(specifier); } catch (error) { tell(specifier, 'require')(error); }
}
console.log(JSON.stringify(failed));
process.exit(0);
`;
}

/** The library and, through them, every library of ours it depends on. */
function closure({ name, manifest }, all) {
  const own = Object.keys(manifest.dependencies ?? {}).flatMap((dependency) =>
    all.filter((other) => other.name === dependency),
  );
  return [...new Set([name, ...own.flatMap((other) => closure(other, all))])];
}

const optionalPeers = ({ peerDependenciesMeta = {} }) =>
  Object.keys(peerDependenciesMeta).filter((name) => peerDependenciesMeta[name].optional === true);

const requiredPeers = ({ peerDependencies = {}, ...manifest }) =>
  Object.keys(peerDependencies).filter((name) => !optionalPeers(manifest).includes(name));
