import { expect, test } from '@jest/globals';
import { passedTests, skippedTests, testTotals } from '../src/test-results.ts';
import { folderWith } from './support/workspace.ts';

const report = {
  numPassedTests: 1,
  numFailedTests: 1,
  numRuntimeErrorTestSuites: 1,
  numPendingTests: 2,
  numTodoTests: 0,
  testResults: [
    {
      name: '/x/test/a.test.ts',
      assertionResults: [
        { status: 'passed', fullName: 'probes OH1: live' },
        { status: 'failed', fullName: 'probes OH2: ready' },
        { status: 'pending', fullName: 'probes OH3: startup' },
      ],
    },
  ],
};

test('totals are summed over the reports; a suite that could not run is a failure', () => {
  expect(testTotals(folderWith({ 'a.json': report, 'b.json': report }))).toEqual({
    passed: 2,
    failed: 4,
    skipped: 4,
    reports: 2,
  });
});

test('no reports are no tests', () => {
  expect(testTotals('/nowhere')).toEqual({ passed: 0, failed: 0, skipped: 0, reports: 0 });
});

test('only tests that passed count as passed', () => {
  expect(passedTests(folderWith({ 'a.json': report }))).toEqual([
    { file: '/x/test/a.test.ts', name: 'probes OH1: live' },
  ]);
});

test('a test that was skipped is named', () => {
  expect(skippedTests(folderWith({ 'a.json': report }))).toEqual([
    { file: '/x/test/a.test.ts', name: 'probes OH3: startup' },
  ]);
});
