import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { findPromtool, started, startAlertmanager, startPrometheus } from '../src/index.js';
import { isRunning, suiteFor, until } from './support.ts';

const promtool = await findPromtool();

suiteFor(promtool)('a prometheus and an alertmanager for tests', () => {
  test('prometheus scrapes, evaluates the rules it was given and answers; it is gone after its scope', async () => {
    await using target = await serveMetrics('sage_tries_total 7\n');
    const rules = { groups: [{ name: 'g', rules: [{ record: 'twice', expr: '2 * sage_tries_total' }] }] };
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules/own.yml'],
      scrape_configs: [{ job_name: 'own', static_configs: [{ targets: [target.address] }] }],
    };
    let pid: number | undefined;
    {
      // JSON is YAML.
      await using prometheus = started(
        await startPrometheus({ config: JSON.stringify(config), files: { 'rules/own.yml': JSON.stringify(rules) } }),
      );
      pid = prometheus.pid;
      expect(prometheus.url).toBe(`http://127.0.0.1:${prometheus.port}`);
      expect(prometheus.version).toMatch(/^\d+\.\d+/);
      await until(async () => (await valueOf(prometheus.url, 'twice')) === '14', 30_000);
    }
    expect(isRunning(Number(pid))).toBe(false);
  });

  test('alertmanager is ready and alone', async () => {
    await using alertmanager = started(
      await startAlertmanager({
        config: JSON.stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] }),
      }),
    );
    const status = (await (await fetch(`${alertmanager.url}/api/v2/status`)).json()) as { cluster: { status: string } };
    expect(status.cluster.status).toBe('disabled');
  });

  test('what it refuses in its configuration is the reason', async () => {
    const refused = await startPrometheus({ config: 'no_such_key: 1\n' });
    expect(refused).toMatchObject({ skipped: expect.stringMatching(/no_such_key/) });
  });

  test('promtool says its version', () => {
    expect(started(promtool).version).toMatch(/^\d+\.\d+/);
  });
});

async function valueOf(url: string, expression: string): Promise<string | undefined> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  return data.result[0]?.value[1];
}

async function serveMetrics(text: string): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((_, response) => void response.setHeader('content-type', 'text/plain').end(text));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
