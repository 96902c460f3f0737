/** What the jest reports of the last test run say. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './workspace.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    /** The test file, absolute. */
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A test and where it stands. */
export interface NamedTest {
  /** Absolute. */
  readonly file: string;
  /** The full name, `describe` titles included. */
  readonly name: string;
}

export interface Totals {
  readonly passed: number;
  /** A suite that could not run counts as one. */
  readonly failed: number;
  readonly skipped: number;
  readonly reports: number;
}

export function testTotals(folder: string): Totals {
  const reports = readReports(folder);
  const sum = (of: (report: Report) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    passed: sum((report) => report.numPassedTests),
    failed: sum((report) => report.numFailedTests + report.numRuntimeErrorTestSuites),
    skipped: sum((report) => report.numPendingTests + report.numTodoTests),
    reports: reports.length,
  };
}

export function passedTests(folder: string): readonly NamedTest[] {
  return testsThat(folder, (status) => status === 'passed');
}

/** Tests that did not run; the name of each says why. */
export function skippedTests(folder: string): readonly NamedTest[] {
  return testsThat(folder, (status) => status === 'pending' || status === 'todo');
}

function testsThat(folder: string, ended: (status: string) => boolean): readonly NamedTest[] {
  return readReports(folder)
    .flatMap((report) => report.testResults)
    .flatMap(({ name: file, assertionResults }) =>
      assertionResults.filter(({ status }) => ended(status)).map(({ fullName }) => ({ file, name: fullName })),
    );
}

function readReports(folder: string): readonly Report[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readJson(join(folder, file)));
}
