/** `pnpm reference`: writes the files of docs/reference and docs/deployment/monitoring that are made from the packages. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referencePages } from './reference-pages.ts';
import { workspaceRoot } from './workspace.ts';

for (const [file, text] of await referencePages(workspaceRoot)) {
  const path = join(workspaceRoot, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${file}`);
}
