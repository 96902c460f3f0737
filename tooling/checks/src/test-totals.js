// Prints the sum of the jest reports, the totals alone on the last line: `N passed, N failed`.
import { testTotals } from './test-results.js';
import { testResultsFolder, workspaceRoot } from './workspace.js';

const { passed, failed, skipped, reports } = testTotals(testResultsFolder(workspaceRoot));
console.log(`${reports} test reports, ${skipped} tests skipped`);
console.log(`${passed} passed, ${failed} failed`);
