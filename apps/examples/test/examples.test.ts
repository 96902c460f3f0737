import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { describeWithService, type ServiceName } from '@tooling/services';

const folder = fileURLToPath(new URL('../src/', import.meta.url));
const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
const examples = readdirSync(folder).filter((file) => file.endsWith('.ts'));
const services: Readonly<Record<string, ServiceName>> = {
  'ratelimit-redis.ts': 'redis',
  'ratelimit-postgres.ts': 'postgres',
};

test.each(examples.filter((file) => services[file] === undefined))(
  'OC9: %s runs to its end and its operations are observed',
  run,
);

for (const [file, service] of Object.entries(services)) {
  describeWithService(service, `with ${service}`, () => {
    test(`OC9: ${file} runs to its end and its operations are observed`, () => run(file));
  });
}

test('there is an example for each package', () => {
  expect(examples.map((file) => file.replace('.ts', ''))).toEqual(expect.arrayContaining(readdirSync(packages)));
});

async function run(file: string): Promise<void> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 90_000 });
  expect(stderr).toBe('');
  // What an observer told: a log line of an operation or event, a metric of ours, or a span.
  expect(stdout).toMatch(/"(?:operation|event)":|\b(?:operation|event)=|^sage_|\btraceId: /m);
}
