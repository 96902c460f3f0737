/** What the jest reports of the last test run say. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './workspace.js';

const reports = (folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .toSorted()
        .map((file) => readJson(join(folder, file)))
    : [];

/** `{ passed, failed, skipped, reports }` summed over the reports; a suite that could not run counts as one failure. */
export function testTotals(folder) {
  const totals = { passed: 0, failed: 0, skipped: 0, reports: 0 };
  for (const report of reports(folder)) {
    totals.passed += report.numPassedTests;
    totals.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
    totals.skipped += report.numPendingTests + report.numTodoTests;
    totals.reports += 1;
  }
  return totals;
}

/** Every test that passed, as `{ file, name }`: an absolute file and the full name, `describe` titles included. */
export function passedTests(folder) {
  return reports(folder)
    .flatMap((report) => report.testResults)
    .flatMap(({ name: file, assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'passed').map(({ fullName }) => ({ file, name: fullName })),
    );
}
