/** Each key of the blocks of `observability`, and what it changes at a running agent; those of `metrics` are shown by `test/metrics.test.ts`. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyAudit } from '@sage-adk/logging/audit';
import { startOtlpReceiver } from '@tooling/otlp-receiver';
import { freePort } from '@tooling/services';
import { type Agent, startAgent } from '../../src/agent.ts';
import { keysAt } from '../../src/config/known-keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import { agentConfig } from '../../src/config/schema.ts';
import { get, post } from '../support/http.ts';
import { spawnAgent } from '../support/process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
});
afterAll(() => rm(folder, { recursive: true }));

const running: Agent[] = [];
afterEach(async () => {
  for (const agent of running.splice(0)) await agent.close();
});

type Block = 'logging' | 'tracing' | 'health';
type Keys = Readonly<Record<string, unknown>>;

/** What tests need where a key says nothing: free ports, and no log on the standard output of the tests. */
const quiet: Readonly<Record<Block | 'metrics', Keys>> = {
  metrics: { port: 0 },
  logging: { level: 'FATAL' },
  tracing: {},
  health: { port: 0 },
};

/** An agent with these keys in one block. */
async function withKeys(block: Block, keys: Keys, more: Keys = {}): Promise<Agent> {
  const observability = { ...quiet, [block]: { ...quiet[block], ...keys } };
  const config = parseConfig(
    JSON.stringify({ server: { port: 0, drain_seconds: 0.5 }, observability, ...more }),
    'test',
  );
  const agent = await startAgent({ config });
  running.push(agent);
  return agent;
}

const ask = (agent: Agent) => post(agent.urls.messages, { text: 'Hello' });
const statusOf = async (url: string) => (await get(url)).status;

/** What the status of `url` is while this thread stands still: undefined where nobody answers `wanted` for `waitMs`. */
async function statusWhileBlocked(url: string, wanted: number, waitMs: number): Promise<number | undefined> {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const code = `const { workerData: { url, wanted, answered } } = require('node:worker_threads');
    (async () => { for (;;) {
      const status = await fetch(url).then((answer) => answer.status, () => 0);
      if (status === wanted) { Atomics.store(answered, 0, status); return void Atomics.notify(answered, 0); }
      await new Promise((resolve) => setTimeout(resolve, 20));
    } })();`;
  const worker = new Worker(code, { eval: true, workerData: { url, wanted, answered } });
  Atomics.wait(answered, 0, 0, waitMs);
  await worker.terminate();
  return Atomics.load(answered, 0) || undefined;
}

const cases: Readonly<Record<Block, Readonly<Record<string, () => Promise<void>>>>> = {
  logging: {
    async level() {
      expect(await logged({ level: 'DEBUG' })).toContain('storage.get');
      const info = await logged({ level: 'INFO' });
      expect(info).toContain('agent.request');
      expect(info).not.toContain('storage.get');
      expect(await logged({ level: 'ERROR' })).toBe('');
    },
    async format() {
      expect(await logged({ format: 'json' })).toMatch(/^\{"ts":/);
      expect(await logged({ format: 'text' })).toMatch(/^\S+Z INFO /);
    },
    async output() {
      const file = join(folder, 'unused.log');
      const agent = spawnAgent(['--config', await configFile({ output: 'stdout' })]);
      await agent.printed(/"event":"agent.state"/);
      agent.child.kill('SIGTERM');
      await agent.ended();
      await expect(readFile(file)).rejects.toThrow('ENOENT');
      expect(await logged({ output: 'file' })).toContain('agent.state');
    },
    async file_path() {
      const own = join(folder, 'own.log');
      await withKeys('logging', { level: 'INFO', output: 'file', file_path: own });
      expect(await readFile(own, 'utf8')).toContain('agent.state');
    },
    async sampling_rate() {
      expect(await logged({ level: 'DEBUG', sampling_rate: 1 })).toContain('"level":"DEBUG"');
      expect(await logged({ level: 'DEBUG', sampling_rate: 0 })).not.toContain('"level":"DEBUG"');
    },
    async max_bytes() {
      expect(await filesOf({ max_bytes: 300, keep_files: 20 })).toBeGreaterThan(3);
      expect(await filesOf({})).toBe(1);
    },
    async keep_files() {
      expect(await filesOf({ max_bytes: 300, keep_files: 2 })).toBe(3);
    },
    async flush() {
      for (const flush of ['line', 'turn']) expect(await logged({ flush })).toContain('agent.request');
    },
    async redact() {
      expect(await logged({ redact: ['model'] })).toContain('"model":"[redacted]"');
    },
    async audit() {
      const own = join(folder, 'audit');
      await withKeys('logging', { audit: { enabled: true, folder: own } });
      expect(verifyAudit({ folder: own }).chains).toHaveLength(1);
      await withKeys('logging', { audit: { enabled: false, folder: join(folder, 'none') } });
      await expect(readdir(join(folder, 'none'))).rejects.toThrow('ENOENT');
      const nowhere = withKeys('logging', { audit: { enabled: true, folder: '/dev/null/x' } });
      await expect(nowhere).rejects.toThrow('/dev/null/x cannot be opened (ENOTDIR).');
    },
  },
  tracing: {
    async enabled() {
      expect(await traced({ enabled: false })).toEqual([]);
      expect((await traced({})).length).toBeGreaterThan(0);
    },
    async endpoint() {
      await using other = await startOtlpReceiver();
      expect(await traced({ endpoint: other.url })).toEqual([]);
      expect(other.spans.length).toBeGreaterThan(0);
    },
    async service_name() {
      expect(new Set((await traced({ service_name: 'weather' })).map(({ service }) => service))).toEqual(
        new Set(['weather']),
      );
    },
    async sampling_rate() {
      expect(await traced({ sampling_rate: 0 })).toEqual([]);
    },
    async tail() {
      const price = { llm: { price: { input: 1_000, output: 1_000 } } };
      const tail = async (keys: Keys) =>
        (await traced({ sampling_rate: 0, tail: keys }, price)).map(({ name }) => name);
      expect(await tail({ enabled: true, slow_ms: 3_600_000 })).toEqual([]);
      expect(await tail({ enabled: false, slow_ms: 0.001 })).toEqual([]);
      expect(await tail({ enabled: true, slow_ms: 0.001 })).toContain('messages');
      expect(await tail({ enabled: true, slow_ms: 3_600_000, cost_usd: 0.000_001 })).toContain('messages');
    },
  },
  health: {
    async enabled() {
      expect((await withKeys('health', { enabled: false })).urls.health).toBeUndefined();
      expect((await withKeys('health', { enabled: true })).urls.health).toBeDefined();
    },
    async host() {
      const { urls } = await withKeys('health', { host: 'localhost' });
      expect(new URL(urls.health ?? '').hostname).toBe('localhost');
    },
    async port() {
      const port = await freePort();
      await withKeys('health', { port });
      expect(await statusOf(`http://127.0.0.1:${port}/health/live`)).toBe(200);
    },
    liveness_path: () => probed('liveness_path', '/health/live'),
    readiness_path: () => probed('readiness_path', '/health/ready'),
    startup_path: () => probed('startup_path', '/health/startup'),
    async thread() {
      const live = async (thread: string) =>
        new URL('/health/live', (await withKeys('health', { thread })).urls.health).href;
      expect(await statusWhileBlocked(await live('worker'), 200, 30_000)).toBe(200);
      expect(await statusWhileBlocked(await live('main'), 200, 1_000)).toBeUndefined();
    },
    async blocked_after_seconds() {
      const live = async (seconds: number) =>
        new URL('/health/live', (await withKeys('health', { blocked_after_seconds: seconds })).urls.health).href;
      expect(await statusWhileBlocked(await live(0.1), 503, 30_000)).toBe(503);
      expect(await statusWhileBlocked(await live(3_600), 503, 1_000)).toBeUndefined();
    },
  },
};

/** What the log of an agent holds after one message. */
async function logged(keys: Keys): Promise<string> {
  const file = join(await mkdtemp(join(folder, 'log-')), 'agent.log');
  const agent = await withKeys('logging', { level: 'INFO', output: 'file', file_path: file, ...keys });
  await ask(agent);
  running.splice(running.indexOf(agent), 1);
  await agent.close();
  return readFile(file, 'utf8');
}

async function filesOf(keys: Keys): Promise<number> {
  const own = await mkdtemp(join(folder, 'log-'));
  const agent = await withKeys('logging', {
    level: 'DEBUG',
    output: 'file',
    file_path: join(own, 'agent.log'),
    ...keys,
  });
  await ask(agent);
  return (await readdir(own)).length;
}

async function configFile(logging: Keys): Promise<string> {
  const file = join(await mkdtemp(join(folder, 'config-')), 'agent.yaml');
  const observability = { ...quiet, logging: { level: 'INFO', ...logging } };
  await writeFile(file, JSON.stringify({ server: { port: 0 }, observability }));
  return file;
}

async function traced(keys: Keys, more: Keys = {}) {
  await using collector = await startOtlpReceiver();
  const agent = await withKeys('tracing', { enabled: true, endpoint: collector.url, ...keys }, more);
  await ask(agent);
  running.splice(running.indexOf(agent), 1);
  await agent.close();
  return [...collector.spans];
}

async function probed(key: string, usual: string): Promise<void> {
  const { urls } = await withKeys('health', { [key]: '/own' });
  expect(await statusOf(new URL('/own', urls.health).href)).toBe(200);
  expect(await statusOf(new URL(usual, urls.health).href)).toBe(404);
}

describe.each(Object.keys(cases) as Block[])('the block %s', (block) => {
  test('OC1: every key has a case here', () => {
    expect(Object.keys(cases[block]).toSorted()).toEqual(keysAt(agentConfig, ['observability', block]).toSorted());
  });

  test.each(Object.entries(cases[block]))('OC1: %s changes what the agent does', (_key, shows) => shows());
});
