// Prints the sum of the jest reports and which tests were skipped, the totals alone on the last line: `N passed, N failed`.
import { relative } from 'node:path';
import { skippedTests, testTotals } from './test-results.ts';
import { testResultsFolder, workspaceRoot } from './workspace.ts';

const folder = testResultsFolder(workspaceRoot);
const { passed, failed, skipped, reports } = testTotals(folder);
console.log(`${reports} test reports, ${skipped} tests skipped`);
for (const { file, name } of skippedTests(folder)) console.log(`  skipped: ${relative(workspaceRoot, file)}: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
