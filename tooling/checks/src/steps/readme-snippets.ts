/**
 * The TypeScript of the READMEs and guides compiles, under the same strict flags as the sources, against the built packages.
 *
 * Each `ts` fence is a module of its own. One marked `ts run` is executed as well and must end with exit code 0 within 10 s.
 * Written to .cache/snippets, padded with blank lines so that an error names the line of the README.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fences } from '../markdown.js';
import { runCommand } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';
import { libraries, trackedFiles } from '../workspace.ts';

export interface Snippet {
  readonly readme: string;
  /** Line of the README its code begins at. */
  readonly line: number;
  /** Whether it is executed, too. */
  readonly runs: boolean;
  /** Its file below .cache/snippets. */
  readonly file: string;
  readonly code: string;
}

export async function check(root: string): Promise<Verdict> {
  const folder = join(root, '.cache', 'snippets');
  rmSync(folder, { recursive: true, force: true });
  const readmes = trackedFiles(root, 'README.md', 'packages/*/README.md', 'docs/guides/*.md');
  const snippets = readmes.flatMap((file) => snippetsOf(file, readFileSync(join(root, file), 'utf8')));
  if (snippets.length === 0) return { problems: [], note: 'no snippets' };
  prepare(root, folder, snippets);
  const problems = [...(await compile(root, folder, snippets))];
  const running = problems.length === 0 ? snippets.filter(({ runs }) => runs) : [];
  for (const snippet of running) problems.push(...(await execute(folder, snippet)));
  return { problems, note: `${snippets.length} snippets, ${running.length} run` };
}

/** The `ts` fences of a README as modules, each line where it stands in the README. */
export function snippetsOf(readme: string, text: string): readonly Snippet[] {
  const folder = dirname(readme) === '.' ? 'root' : dirname(readme).replaceAll('/', '-');
  const prefix = basename(readme) === 'README.md' ? folder : `${folder}-${basename(readme, '.md')}`;
  return fences(text)
    .filter(({ info }) => /^(ts|typescript)( run)?$/.test(info))
    .map(({ info, code, line }) => ({
      readme,
      line,
      runs: info.endsWith(' run'),
      file: `${prefix}-${line}.ts`,
      code: `${'\n'.repeat(line - 1)}${code}\n`,
    }));
}

/** `packages-x-12.ts(14,3): error` becomes `packages/x/README.md:14:3: error`. */
export function atReadme(output: string, snippets: readonly Snippet[]): string {
  return output.replaceAll(/^(\S+\.ts)\((\d+),(\d+)\)/gm, (whole, path: string, line: string, column: string) => {
    const snippet = snippets.find(({ file }) => path.endsWith(`/${file}`));
    return snippet === undefined ? whole : `${snippet.readme}:${line}:${column}`;
  });
}

/** Snippets see what a README may speak of: our packages, and whatever any of them has installed. */
function prepare(root: string, folder: string, snippets: readonly Snippet[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of snippets) writeFileSync(join(folder, file), code);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const configuration = {
    extends: '../../tooling/tsconfig/base.json',
    // An example may end with the value it shows.
    compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  const packages = libraries(root);
  for (const { name, folder: library } of packages) link(join(root, library), folder, name);
  for (const from of [...packages.map((library) => library.folder), 'apps/reference-agent']) {
    linkInstalled(join(root, from, 'node_modules'), folder);
  }
}

function linkInstalled(modules: string, folder: string): void {
  if (!existsSync(modules)) return;
  for (const name of readdirSync(modules).filter((entry) => !entry.startsWith('.'))) {
    const names = name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name];
    for (const full of names) link(join(modules, full), folder, full);
  }
}

/** The first link of a name stays: there is one version of everything in the workspace. */
function link(target: string, folder: string, name: string): void {
  const path = join(folder, 'node_modules', name);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

async function compile(root: string, folder: string, snippets: readonly Snippet[]): Promise<readonly string[]> {
  const args = ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false'];
  const { code, output } = await runCommand('tsc', args, { folder: root });
  return code === 0 ? [] : [atReadme(output.trim(), snippets)];
}

async function execute(folder: string, { file, readme, line }: Snippet): Promise<readonly string[]> {
  const args = ['--disable-warning=ExperimentalWarning', file];
  const { code, output } = await runCommand(process.execPath, args, { folder, timeoutMs: 10_000 });
  return code === 0 ? [] : [`${readme}:${line} does not run (exit ${code}):\n${output.trim()}`];
}
