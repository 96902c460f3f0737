// Prints the sum of the jest reports, the totals alone on the last line: `N passed, N failed`.
import { testTotals } from './test-results.ts';
import { testResultsFolder, workspaceRoot } from './workspace.ts';

const { passed, failed, skipped, reports } = testTotals(testResultsFolder(workspaceRoot));
console.log(`${reports} test reports, ${skipped} tests skipped`);
console.log(`${passed} passed, ${failed} failed`);
