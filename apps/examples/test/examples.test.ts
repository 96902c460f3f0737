import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const folder = fileURLToPath(new URL('../src/', import.meta.url));
const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
const examples = readdirSync(folder).filter((file) => file.endsWith('.ts'));

test.each(examples)('OC9: %s runs to its end and its operations are observed', async (file) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 10_000 });
  expect(stderr).toBe('');
  // What an observer told: a log line of an operation or event, a metric of ours, or a span.
  expect(stdout).toMatch(/"(?:operation|event)":|\b(?:operation|event)=|^sage_|\btraceId: /m);
});

test('there is an example for each package', () => {
  expect(examples.map((file) => file.replace('.ts', ''))).toEqual(expect.arrayContaining(readdirSync(packages)));
});
