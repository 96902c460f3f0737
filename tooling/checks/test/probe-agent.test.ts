import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runCommand } from '../src/run-command.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Probes a stub agent on free ports; the stub ends with the probe. */
async function probe(...stubOptions: readonly string[]): Promise<{ code: number; output: string }> {
  const stub = spawn(process.execPath, [fileOf('./support/stub-agent.ts'), ...stubOptions], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(stub.stdout), 'line');
    const urls: Readonly<Record<string, string>> = JSON.parse(String(line));
    const flags = Object.entries(urls).flatMap(([name, url]) => [`--${name}`, url]);
    return await runCommand(process.execPath, [fileOf('../src/probe-agent.ts'), ...flags], {});
  } finally {
    stub.kill('SIGINT');
    await once(stub, 'exit');
  }
}

test('an agent that answers, streams and counts passes the probe', async () => {
  const { code, output } = await probe();
  expect(output).toContain('message answered: Hello');
  expect(code).toBe(0);
});

test('an agent whose metrics do not count the requests fails it', async () => {
  const { code, output } = await probe('--no-metrics');
  expect(output).toContain('shows no sage_agent_requests above zero');
  expect(code).toBe(1);
});

test('an agent that never gets ready fails it', async () => {
  const { code, output } = await runCommand(process.execPath, [
    fileOf('../src/probe-agent.ts'),
    '--health',
    'http://127.0.0.1:9',
    '--ready-ms',
    '200',
  ]);
  expect(output).toContain('was not 200 within 200 ms');
  expect(code).toBe(1);
});
