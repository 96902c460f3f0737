/** `pnpm reference`: writes the pages of docs/reference that are made from the packages. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorReference, errorReferenceFile } from './error-reference.ts';
import { workspaceRoot } from './workspace.ts';

writeFileSync(join(workspaceRoot, errorReferenceFile), await errorReference(workspaceRoot));
console.log(`wrote ${errorReferenceFile}`);
