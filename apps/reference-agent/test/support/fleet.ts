import { createHash, randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { describeWithService } from '@tooling/services';
import type { AgentOptions } from '../../src/agent.ts';
import { startTestAgent, type TestAgent } from './agent.ts';
import { type Answer, post } from './http.ts';

/** Agents that share their limits. */
export interface Fleet extends AsyncDisposable {
  readonly agents: readonly [TestAgent, ...TestAgent[]];
  /** Sends to the agents in turn. */
  say(text: string, headers?: Record<string, string>): Promise<Answer>;
}

/** Starts agents on one storage: two where it can be shared. */
export type StartFleet = (yaml: string, options?: Omit<AgentOptions, 'config'>) => Promise<Fleet>;

/** Runs `tests` on memory, Redis and PostgreSQL; each fleet begins with nothing spent. */
export function describeStorages(title: string, tests: (start: StartFleet) => void): void {
  describe(`${title} in memory`, () => tests(fleetOf(1, () => '')));
  describeWithService('redis', `${title} in Redis`, (url) => {
    tests(fleetOf(2, (name) => redisYaml(url, name)));
  });
  describeWithService('postgres', `${title} in PostgreSQL`, (url) => {
    tests(fleetOf(2, (name) => postgresYaml(url, name)));
  });
}

// Nobody looks at the probes and metrics of a fleet, and they take longer to start than all else.
const unwatched = 'observability:\n  metrics:\n    enabled: false\n  health:\n    enabled: false\n';

// A busy machine must not turn an answer into one of the policies.
const patient = '  timeout_ms: 10000\n';

export function redisYaml(url: string, name: string, timeout = patient): string {
  return `redis:\n  url: ${url}\n  prefix: ${name}\n${timeout}`;
}

export function postgresYaml(url: string, name: string, timeout = patient): string {
  return `postgres:\n  url: ${url}\n  schema: ${name}\n${timeout}`;
}

/** A key of `server.api_keys`: the word is the key and the user. */
export function keyYaml(word: string, more = ''): string {
  const sha256 = createHash('sha256').update(word).digest('hex');
  return `    - id: ${word}\n      sha256: ${sha256}\n${more}`;
}

export function as(word: string): Record<string, string> {
  return { authorization: `Bearer ${word}` };
}

function fleetOf(size: number, storageYaml: (name: string) => string): StartFleet {
  return async (yaml, options) => {
    const storage = storageYaml(`fleet_${randomUUID().slice(0, 8)}`);
    const kind = storage.slice(0, storage.indexOf(':')) || 'memory';
    const whole = yaml.replace('rate_limit:\n', `rate_limit:\n  storage: ${kind}\n`) + storage + unwatched;
    const agents: TestAgent[] = [];
    for (let n = 0; n < size; n++) agents.push(await startTestAgent(whole, options));
    return toFleet(agents);
  };
}

export function toFleet(agents: readonly TestAgent[]): Fleet {
  const [first, ...others] = agents;
  if (first === undefined) throw new TypeError('A fleet has an agent.');
  let turn = 0;
  return {
    agents: [first, ...others],
    say(text, headers) {
      const agent = agents[turn++ % agents.length] ?? first;
      return post(agent.urls.messages, { text }, headers);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent.close()));
    },
  };
}
