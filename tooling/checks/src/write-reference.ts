/** `pnpm reference`: writes the pages of docs/reference that are made from the packages. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './reference-pages.ts';
import { workspaceRoot } from './workspace.ts';

for (const { file, make } of referencePages) {
  writeFileSync(join(workspaceRoot, file), await make(workspaceRoot));
  console.log(`wrote ${file}`);
}
