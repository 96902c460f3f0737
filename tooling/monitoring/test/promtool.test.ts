/** The rules as Prometheus's own tool sees them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { areRequired, findPromtool } from '@tooling/services';
import { alerts, ruleFiles } from '../src/index.ts';
import { ruleTestFiles } from '../src/rules.ts';

const found = await findPromtool();
if ('skipped' in found && areRequired()) throw new Error(found.skipped);
const folder = mkdtempSync(join(tmpdir(), 'sage-monitoring-'));
afterAll(() => rmSync(folder, { recursive: true }));
const longestMs = 300_000;

function write(files: Readonly<Record<string, string>>): readonly string[] {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return Object.keys(files);
}

async function promtool(...args: readonly string[]): Promise<string> {
  if ('skipped' in found) throw new Error(found.skipped);
  try {
    return (await promisify(execFile)(found.path, args, { cwd: folder, env: found.env, timeout: longestMs })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`promtool ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

('skipped' in found ? describe.skip : describe)(`promtool${'skipped' in found ? ` (${found.skipped})` : ''}`, () => {
  test('OC2: accepts every file of rules', async () => {
    const files = write(ruleFiles());
    expect((await promtool('check', 'rules', ...files)).match(/SUCCESS/g)).toHaveLength(files.length);
  }, 60_000);

  test.each(Object.keys(ruleTestFiles()))(
    'OC2: every alert of %s fires on what it is for, and is quiet on what is healthy',
    async (name) => {
      write(ruleFiles());
      write(ruleTestFiles());
      expect(await promtool('test', 'rules', name)).toContain('SUCCESS');
    },
    longestMs,
  );

  test(
    'the tests name every alert twice, and fail where one never fires or always does',
    async () => {
      const tests = ruleTestFiles();
      const text = Object.values(tests).join('');
      for (const { name } of alerts) expect(text.split(`alertname: ${name}\n`)).toHaveLength(3);
      const wrong = (ruleFiles()['alerts.yaml'] ?? '')
        .replace('sage_breaker_state[2m])) >= 2', 'sage_breaker_state[2m])) >= 4')
        .replace('sage_limiter_store_away > 0', 'sage_limiter_store_away >= 0');
      write({ ...ruleFiles(), ...tests, 'alerts.yaml': wrong });
      const failure = promtool('test', 'rules', 'alerts.test.yaml');
      await expect(failure).rejects.toThrow(/SageBreakerOpen/);
      await expect(failure).rejects.toThrow(/SageLimiterStoreAway/);
    },
    longestMs,
  );
});
