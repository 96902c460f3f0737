/** Probes both servers by turns over one kept connection each, and takes the time of every answer. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { ServerMessage } from './health-probe-server.ts';

const rounds = 20;
const probes = 1_000;

const file = new URL('./health-probe-server.ts', import.meta.url);
const start = async (...args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
  const child = fork(file, args);
  const [{ url }] = (await once(child, 'message')) as [ServerMessage];
  return { child, url };
};

const agents = { health: oneConnection(), bare: oneConnection() };
const health = await start('health');
const { body: ready, status } = await probe(health.url, agents.health);
const bare = await start('bare', ready);
try {
  const before = await stateOf(health.child);
  const beganMs = performance.now();
  const ofHealth: number[][] = [];
  const ofBare: number[][] = [];
  await batch(health.url, agents.health);
  await batch(bare.url, agents.bare);
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0;
    if (first) ofHealth.push(await batch(health.url, agents.health));
    ofBare.push(await batch(bare.url, agents.bare));
    if (!first) ofHealth.push(await batch(health.url, agents.health));
  }
  const after = await stateOf(health.child);
  console.log(
    JSON.stringify({
      status,
      probes: (rounds + 1) * probes,
      checkRuns: after.checkRuns - before.checkRuns,
      periods: (performance.now() - beganMs) / after.periodMs,
      health: ofHealth.map(summary),
      bare: ofBare.map(summary),
    }),
  );
} finally {
  for (const { child } of [health, bare]) child.kill();
  for (const agent of Object.values(agents)) agent.destroy();
}

function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

async function stateOf(child: ChildProcess): Promise<ServerMessage> {
  const answer = once(child, 'message');
  child.send('state');
  const [state] = (await answer) as [ServerMessage];
  return state;
}

/** Milliseconds of each, in order. */
async function batch(url: string, agent: Agent): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < probes; i++) times.push((await probe(url, agent)).ms);
  return times.sort((a, b) => a - b);
}

function probe(
  url: string,
  agent: Agent,
): Promise<{ readonly ms: number; readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sinceMs = performance.now();
    get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ ms: performance.now() - sinceMs, status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

function summary(sorted: readonly number[]): { readonly p50: number; readonly p99: number } {
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
