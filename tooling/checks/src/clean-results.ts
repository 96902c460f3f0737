// Runs before the tests, so that a report found afterwards is of this run. `pnpm check requirements` relies on it.
import { rmSync } from 'node:fs';
import { testResultsFolder, workspaceRoot } from './workspace.ts';

rmSync(testResultsFolder(workspaceRoot), { recursive: true, force: true });
