import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../apps/reference-agent/dist/main.js', import.meta.url));

export interface AgentOptions {
  readonly name: string;
  readonly port: number;
  readonly healthPort: number;
  /** For its configuration. */
  readonly folder: string;
  /** Seconds that it still serves after it is not ready any more. */
  readonly drainDelaySeconds: number;
  /** @default 0, a free one */
  readonly metricsPort?: number;
  /** More keys of its metrics block. @default none */
  readonly metrics?: Readonly<Record<string, string | number>>;
  /** Whose keys it knows, as YAML. @default '[]' */
  readonly apiKeys?: string;
  /** Blocks of its configuration besides `server`, `agent` and `observability`. @default long answers of the local model */
  readonly blocks?: string;
}

/** A reference agent that can be ended and started again on the same ports. */
export interface AgentProcess extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly healthPort: number;
  /** Starts it and resolves when it is ready. */
  start(): Promise<void>;
  /** Whether the process is there. */
  isRunning(): boolean;
  /** Sends SIGTERM and resolves with the exit code, or the signal where it had to be killed. */
  end(): Promise<number | NodeJS.Signals>;
  /** Sends SIGKILL and resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Longest time that an agent takes to start or to end. */
const longestMs = 120_000;

export function createAgentProcess(options: AgentOptions): AgentProcess {
  const { name, port, healthPort, folder } = options;
  let running: Running | undefined;
  const agent: AgentProcess = {
    name,
    port,
    healthPort,
    async start() {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, configOf(options));
      const started = run(file);
      running = started;
      await untilReady(`http://127.0.0.1:${healthPort}/health/ready`, started);
    },
    isRunning: () => running?.isRunning() ?? false,
    async end() {
      if (running === undefined) return 0;
      const { kill, ended } = running;
      kill('SIGTERM');
      const timer = setTimeout(() => kill('SIGKILL'), longestMs);
      const code = await ended;
      clearTimeout(timer);
      running = undefined;
      return code;
    },
    async kill() {
      running?.kill('SIGKILL');
      await running?.ended;
      running = undefined;
    },
    async [Symbol.asyncDispose]() {
      await agent.end();
    },
  };
  return agent;
}

function configOf({
  name,
  port,
  healthPort,
  drainDelaySeconds,
  metricsPort = 0,
  metrics = {},
  apiKeys = '[]',
  blocks = 'llm:\n  max_output_tokens: 1000000\n',
}: AgentOptions): string {
  return `server:
  port: ${port}
  drain_seconds: 15
  drain_delay_seconds: ${drainDelaySeconds}
  api_keys: ${apiKeys}
agent:
  id: ${name}
observability:
  metrics:
    port: ${metricsPort}
${Object.entries(metrics)
  .map(([key, value]) => `    ${key}: ${value}\n`)
  .join('')}  health:
    port: ${healthPort}
${blocks}`;
}

interface Running {
  readonly isRunning: () => boolean;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<number | NodeJS.Signals>;
}

function run(configFile: string): Running {
  const child = spawn(process.execPath, [main, '--config', configFile], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return { isRunning, kill: (signal) => void child.kill(signal), ended };
}

async function untilReady(url: string, { ended }: Running): Promise<void> {
  const giveUpMs = performance.now() + longestMs;
  while (performance.now() < giveUpMs) {
    const status = await Promise.race([statusOf(url), ended.then((code) => `ended with ${code}`)]);
    if (status === 200) return;
    if (typeof status === 'string') throw new Error(`The agent ${status} before it was ready.`);
    await delay(50);
  }
  throw new Error(`${url} did not answer 200 within ${longestMs} ms.`);
}

async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}
