/** The configurations that the page of the set-up shows, as the real programs see them. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { areRequired, findPromtool, started, startAlertmanager } from '@tooling/services';
import { ruleFiles } from '../src/index.ts';

const found = await findPromtool();
if ('skipped' in found && areRequired()) throw new Error(found.skipped);
const page = readFileSync(new URL('../../../docs/deployment/monitoring/prometheus-setup.md', import.meta.url), 'utf8');

function shown(name: string): string {
  const [, text = ''] = new RegExp(`\`\`\`yaml\\n# ${name}\\n([^\`]+)\`\`\``).exec(page) ?? [];
  expect(text).not.toBe('');
  return text;
}

('skipped' in found ? describe.skip : describe)(`the set-up${'skipped' in found ? ` (${found.skipped})` : ''}`, () => {
  test('DG9: promtool accepts the configuration of Prometheus with its files of rules', async () => {
    if ('skipped' in found) throw new Error(found.skipped);
    const folder = mkdtempSync(join(tmpdir(), 'sage-setup-'));
    const files = {
      'prometheus.yml': shown('prometheus.yml'),
      ...Object.fromEntries(Object.entries(ruleFiles()).map(([name, text]) => [`rules/${name}`, text])),
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { stdout } = await promisify(execFile)(found.path, ['check', 'config', 'prometheus.yml'], {
      cwd: folder,
      env: { ...found.env },
      timeout: 60_000,
    });
    expect(stdout).toContain('3 rule files found');
    rmSync(folder, { recursive: true });
  });

  test('DG9: Alertmanager starts with the routes that are shown', async () => {
    await using alertmanager = started(await startAlertmanager({ config: shown('alertmanager.yml') }));
    const status = (await (await fetch(`${alertmanager.url}/api/v2/status`)).json()) as {
      readonly config: { readonly original: string };
    };
    expect(status.config.original).toContain('receiver: on-call');
  });
});
