/** The packages as they would be published: packed once per run, into a folder git ignores. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import { libraries } from './workspace.ts';

export interface Tarball {
  readonly name: string;
  readonly file: string;
}

let packing: Promise<readonly Tarball[]> | undefined;

/** One tarball for each library. */
export function tarballs(root: string): Promise<readonly Tarball[]> {
  packing ??= packAll(root);
  return packing;
}

async function packAll(root: string): Promise<readonly Tarball[]> {
  const folder = join(root, '.cache', 'packs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { code, output } = await runCommand(
    'pnpm',
    ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder],
    { folder: root },
  );
  if (code !== 0) throw new Error(`pnpm pack failed:\n${output}`);
  return libraries(root).map(({ name, manifest }) => {
    const file = join(folder, `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
    if (!existsSync(file)) throw new Error(`pnpm pack wrote no ${file}`);
    return { name, file };
  });
}
