import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, type AgentOptions, startAgent } from '../../src/agent.ts';
import { parseConfig } from '../../src/config/load.ts';

/** An agent of one test: free ports, logs in a file of its own. */
export interface TestAgent extends Agent {
  /** The lines logged so far that tell of `operation`, or all. */
  logged(operation?: string): Promise<readonly Record<string, unknown>[]>;
}

export interface TestAgentOptions extends Omit<AgentOptions, 'config'> {
  readonly drainSeconds?: number;
  /** @default one that is gone when the agent is closed */
  readonly logFile?: string;
}

/**
 * @param yaml blocks of the configuration, besides the ports and the log file.
 */
export async function startTestAgent(
  yaml = '',
  { drainSeconds = 0.5, logFile: ownFile, ...options }: TestAgentOptions = {},
  port = 0,
): Promise<TestAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'reference-agent-'));
  const logFile = ownFile ?? join(folder, 'agent.log');
  const config = parseConfig(yaml, 'test.yaml');
  Object.assign(config.server, { port, drain_seconds: drainSeconds });
  config.observability.metrics.port = 0;
  config.observability.health.port = 0;
  Object.assign(config.observability.logging, { output: 'file', file_path: logFile });
  const agent = await startAgent({ config, ...options });
  return {
    ...agent,
    async logged(operation) {
      const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
      const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      return operation === undefined ? records : records.filter((record) => record['operation'] === operation);
    },
    async close() {
      await agent.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
