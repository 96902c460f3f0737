/** The packages as they would be published: packed once per run, into a folder git ignores. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.js';
import { libraries } from './workspace.js';

let packing;

/** Resolves with a map from package name to its tarball. */
export function tarballs(root) {
  packing ??= packAll(root);
  return packing;
}

async function packAll(root) {
  const folder = join(root, '.cache', 'packs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { code, output } = await runCommand(
    'pnpm',
    ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder],
    { cwd: root },
  );
  if (code !== 0) throw new Error(`pnpm pack failed:\n${output}`);
  const files = readdirSync(folder);
  return new Map(
    libraries(root).map(({ name, manifest }) => {
      const file = `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
      if (!files.includes(file)) throw new Error(`pnpm pack wrote no ${file}`);
      return [name, join(folder, file)];
    }),
  );
}
