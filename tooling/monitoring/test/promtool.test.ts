/** The rules, and the catalogue, as Prometheus's own tool sees them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type MetricRow, metricRows } from '@sage-adk/metrics';
import { areRequired, findPromtool } from '@tooling/services';
import { alerts, ruleFiles } from '../src/index.ts';
import { ruleTestFiles, ruleTestsOf } from '../src/rules.ts';

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
  });

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
      const text = Object.values(ruleTestFiles()).join('');
      for (const { name } of alerts) expect(text.split(`alertname: ${name}\n`)).toHaveLength(3);
      const wrong = (ruleFiles()['alerts.yaml'] ?? '')
        .replace('sage_breaker_state[2m])) >= 2', 'sage_breaker_state[2m])) >= 4')
        .replace('sage_limiter_store_away > 0', 'sage_limiter_store_away >= 0');
      const both = alerts.filter(({ name }) => name === 'SageBreakerOpen' || name === 'SageLimiterStoreAway');
      write({ ...ruleFiles(), 'alerts.yaml': wrong, 'wrong.test.yaml': ruleTestsOf(both, '1m') });
      const failure = promtool('test', 'rules', 'wrong.test.yaml');
      await expect(failure).rejects.toThrow(/SageBreakerOpen/);
      await expect(failure).rejects.toThrow(/SageLimiterStoreAway/);
    },
    longestMs,
  );

  test('OC2: finds nothing to complain of in the whole catalogue of metrics', async () => {
    if ('skipped' in found) throw new Error(found.skipped);
    const checker = spawn(found.path, ['check', 'metrics'], { env: { ...found.env } });
    const said = Promise.all([text(checker.stdout), text(checker.stderr)]);
    checker.stdin.end(metricRows.map(exposed).join(''));
    const [code] = (await once(checker, 'close')) as [unknown];
    expect({ code, said: (await said).join('') }).toEqual({ code: 0, said: '' });
  });
});

/** A metric with one series. */
function exposed({ name, type, help, labels = [] }: MetricRow): string {
  const series = (suffix: string, more: readonly string[] = []): string => {
    const all = [...labels.map((label) => `${label}="x"`), ...more];
    return `${name}${suffix}${all.length === 0 ? '' : `{${all.join(',')}}`} 1\n`;
  };
  const samples =
    type === 'histogram'
      ? series('_bucket', ['le="1"']) + series('_bucket', ['le="+Inf"']) + series('_sum') + series('_count')
      : series('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples}`;
}
