/**
 * The TypeScript of the READMEs compiles, under the same strict flags as the sources, against the built packages.
 *
 * Each `ts` fence is a module of its own. One marked `ts run` is executed as well and must end with exit code 0 within 10 s.
 * Written to .cache/snippets, padded with blank lines so that an error names the line of the README.
 */
import { mkdirSync, readdirSync, readFileSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fences } from '../markdown.js';
import { runCommand } from '../run-command.js';
import { libraries, trackedFiles } from '../workspace.js';

export async function check(root) {
  const folder = join(root, '.cache', 'snippets');
  rmSync(folder, { recursive: true, force: true });
  const files = trackedFiles(root, 'README.md', 'packages/*/README.md');
  const snippets = files.flatMap((file) => snippetsOf(file, readFileSync(join(root, file), 'utf8')));
  if (snippets.length === 0) return { problems: [], note: 'no snippets' };
  prepare(root, folder, snippets);
  const problems = await compile(root, folder, snippets);
  if (problems.length > 0) return { problems };
  for (const snippet of snippets.filter(({ runs }) => runs)) problems.push(...(await execute(folder, snippet)));
  return { problems, note: `${snippets.length} snippets, ${snippets.filter(({ runs }) => runs).length} run` };
}

/** The `ts` fences of a README as modules, each line where it stands in the README. */
export function snippetsOf(readme, text) {
  return fences(text)
    .filter(({ info }) => /^(ts|typescript)( run)?$/.test(info))
    .map(({ info, code, line }) => ({
      readme,
      line,
      runs: info.endsWith(' run'),
      file: `${dirname(readme).replaceAll(/[^a-z0-9]+/g, '-')}-${line}.ts`.replace(/^-+/, 'root-'),
      code: `${'\n'.repeat(line - 1)}${code}\n`,
    }));
}

/** `packages-x-12.ts(14,3): error` becomes `packages/x/README.md:14:3: error`. */
export function atReadme(output, snippets) {
  const readmes = new Map(snippets.map(({ file, readme }) => [file, readme]));
  return output.replaceAll(/^(\S+\.ts)\((\d+),(\d+)\)/gm, (whole, path, line, column) => {
    const readme = readmes.get(path.split('/').at(-1));
    return readme === undefined ? whole : `${readme}:${line}:${column}`;
  });
}

/** Snippets see what a README may speak of: our packages, and whatever any of them has installed. */
function prepare(root, folder, snippets) {
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of snippets) writeFileSync(join(folder, file), code);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tooling/tsconfig/base.json',
      // An example may end with the value it shows.
      compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
      include: ['*.ts'],
    }),
  );
  for (const { name, folder: library } of libraries(root)) link(join(root, library), folder, name);
  for (const { folder: library } of libraries(root)) linkInstalled(join(root, library, 'node_modules'), folder);
  linkInstalled(join(root, 'apps', 'reference-agent', 'node_modules'), folder);
}

function linkInstalled(modules, folder) {
  if (!existsSync(modules)) return;
  for (const name of readdirSync(modules).filter((entry) => !entry.startsWith('.'))) {
    const names = name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name];
    for (const full of names) link(join(modules, full), folder, full);
  }
}

function link(target, folder, name) {
  const path = join(folder, 'node_modules', name);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

async function compile(root, folder, snippets) {
  const { code, output } = await runCommand('tsc', ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false'], {
    cwd: root,
  });
  return code === 0 ? [] : [atReadme(output.trim(), snippets)];
}

async function execute(folder, { file, readme, line }) {
  const { code, output } = await runCommand(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: folder,
    timeoutMs: 10_000,
  });
  return code === 0 ? [] : [`${readme}:${line} does not run (exit ${code}):\n${output.trim()}`];
}
