/**
 * `pnpm matrix [version ...]`: runs the tests that drive the real SDKs on each Node that the packages support. The versions come from the registry, as the
 * packages that carry Node's own binary for Linux, into a cache folder; the Node that runs this is used where it is the one that is asked for.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const workspace = fileURLToPath(new URL('../../../', import.meta.url));
const cache = join(workspace, '.cache', 'node');
const sageJest = fileURLToPath(import.meta.resolve('@tooling/jest/src/sage-jest.js'));

/** The newest of each line that the packages promise to run on. */
const supported = ['22', '24', '26'];

/** What is run: of each package the tests whose subject is somebody else's code. */
const suites: readonly { readonly folder: string; readonly tests: readonly string[] }[] = [
  { folder: 'packages/llm', tests: ['test/sdks', 'test/ai-sdk', 'test/anthropic', 'test/layers', 'test/stream-ends'] },
  { folder: 'packages/core', tests: ['test/a2a', 'test/mcp'] },
];

const wanted = process.argv.length > 2 ? process.argv.slice(2) : supported;
const failed = wanted.filter((version) => !passesOn(version));
console.log(
  failed.length === 0 ? `\nAll pass on Node ${wanted.join(', ')}.` : `\nFailed on Node ${failed.join(', ')}.`,
);
process.exit(failed.length === 0 ? 0 : 1);

function passesOn(version: string): boolean {
  const node = nodeOf(version);
  if (node === undefined) return false;
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  console.log(`\nNode ${stdout.trim()}`);
  return suites.every(({ folder, tests }) => {
    console.log(`  ${folder}: ${tests.join(', ')}`);
    const { status } = spawnSync(node, [sageJest, ...tests], {
      cwd: join(workspace, folder),
      stdio: 'inherit',
      env: {
        ...process.env,
        PATH: [dirname(node), process.env['PATH']].join(delimiter),
        // The reports of the usual run stay what they are.
        SAGE_TEST_RESULTS: join(workspace, '.cache', 'matrix', version),
      },
    });
    return status === 0;
  });
}

/** The binary of a version such as `22` or `26.9.0`; undefined where it cannot be had. */
function nodeOf(version: string): string | undefined {
  if (`${process.versions.node}.`.startsWith(`${version}.`)) return process.execPath;
  if (process.platform !== 'linux') {
    console.log(`Node ${version} is brought on Linux only; run this with it instead.`);
    return undefined;
  }
  const name = `node-linux-${process.arch}`;
  const folder = join(cache, version);
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--prefix', folder, `${name}@${version}`],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return status === 0 && existsSync(binary) ? binary : undefined;
}
