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

/** Lines that say of a call what it used and cost, in JSON and as a stream, under each SDK. */
const usedAndCost = /operation=llm\.call outcome=ok .*input_tokens=[1-9].* output_tokens=[1-9].* cost_nano_usd=[1-9]/gm;

test.each([
  ['llm-openai.ts', 2],
  ['llm-anthropic.ts', 2],
  ['llm-google.ts', 2],
  ['llm-langchain.ts', 2],
  ['llm-ai-sdk.ts', 3],
])('OM7, OM10: %s tells what each of its %i calls used and cost', async (file, calls) => {
  const stdout = await outputOf(file);
  expect(stdout.match(usedAndCost)).toHaveLength(calls);
  expect(stdout.match(/operation=llm\.call/g)).toHaveLength(calls);
  expect(stdout).toMatch(/noon/);
});

test('llm-mcp.ts tells of a call of a tool on either side, within one request', async () => {
  const lines = (await outputOf('llm-mcp.ts')).match(/request_id=request-1 .*operation=mcp\.call outcome=ok.*/g);
  expect(lines?.map((line) => /role=(\w+) tool=time/.exec(line)?.[1])).toEqual(['server', 'client']);
});

test('there is an example for each package', () => {
  expect(examples.map((file) => file.replace('.ts', ''))).toEqual(expect.arrayContaining(readdirSync(packages)));
});

async function run(file: string): Promise<void> {
  // What an observer told: a log line of an operation or event, a metric of ours, or a span.
  expect(await outputOf(file)).toMatch(/"(?:operation|event)":|\b(?:operation|event)=|^sage_|\btraceId: /m);
}

/** Each runs once. */
const outputs = new Map<string, Promise<string>>();

function outputOf(file: string): Promise<string> {
  const output = outputs.get(file) ?? made(file);
  outputs.set(file, output);
  return output;
}

async function made(file: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 90_000 });
  expect(stderr).toBe('');
  return stdout;
}
