/** Ends an agent under load, well and by force, and compares what clients were answered with what its pushes delivered. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAgentProcess } from '../agent-process.ts';
import { freePort } from '@tooling/services';
import { type Clients, startClients } from './clients.ts';
import { type Gateway, startGateway } from './gateway.ts';

export interface DeliveryOptions {
  /** How each life of the agent ends, in order. */
  readonly endings: readonly ('SIGTERM' | 'SIGKILL')[];
  /** Of each life at least, in seconds. */
  readonly lifeSeconds: number;
  readonly clients: number;
  /** Milliseconds that each client waits between two requests. */
  readonly pauseMs: number;
}

/** One life of the agent. */
export interface Life {
  readonly ending: 'SIGTERM' | 'SIGKILL';
  readonly pushes: number;
  /** Requests that were answered with 200. */
  readonly answered: number;
  /** Of them, those in the last push. It may have a few more, whose answer no client got any more. */
  readonly delivered: number;
  readonly lost: number;
  /** Requests that were answered after the last push but one was taken: no more can be missing in the last one. */
  readonly atRisk: number;
  /** Requests that are answered in one interval, on average. */
  readonly perInterval: number;
  readonly seconds: number;
}

/** Every life has a push each second. */
const intervalSeconds = 1;
/** A life has a last push but one before it ends. */
const fewestPushes = 3;

export async function deliver(options: DeliveryOptions): Promise<readonly Life[]> {
  const folder = await mkdtemp(join(tmpdir(), 'delivery-'));
  try {
    await using gateway = await startGateway();
    const [port, healthPort] = [await freePort(), await freePort()];
    const metrics = { push_url: gateway.url, interval: intervalSeconds };
    await using agent = createAgentProcess({ name: 'agent', port, healthPort, folder, drainDelaySeconds: 0, metrics });
    const lives: Life[] = [];
    for (const ending of options.endings) {
      await agent.start();
      const sinceMs = performance.now();
      const { clients: count, pauseMs } = options;
      const clients = startClients(`http://127.0.0.1:${port}/v1/messages`, count, pauseMs);
      try {
        await lived(gateway, lives.length, sinceMs + 1_000 * options.lifeSeconds, clients);
        // Under load: requests are running while it ends.
        if (ending === 'SIGKILL') await agent.kill();
        else if ((await agent.end()) !== 0) throw new Error('The agent did not end well.');
      } finally {
        await clients.stop();
      }
      lives.push(lifeOf(ending, gateway, lives.length, clients, sinceMs));
    }
    return lives;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves when the life is long enough, in time and in pushes, at any moment between two pushes, and when there are answers since the last. */
async function lived(gateway: Gateway, index: number, untilMs: number, clients: Clients): Promise<void> {
  for (;;) {
    await gateway.pushed();
    const { pushes = 0 } = gateway.processes[index] ?? {};
    if (pushes < fewestPushes || performance.now() < untilMs) continue;
    const answered = clients.answeredMs.length;
    await delay(Math.random() * intervalSeconds * 1_000);
    while (clients.answeredMs.length < answered + 10) await delay(10);
    return;
  }
}

function lifeOf(ending: Life['ending'], gateway: Gateway, index: number, clients: Clients, sinceMs: number): Life {
  const kept = gateway.processes[index];
  if (kept === undefined) throw new Error('The agent pushed nothing.');
  const { pushes, counted, beforeMs } = kept;
  const answered = clients.answeredMs.length;
  const seconds = ((clients.answeredMs.at(-1) ?? sinceMs) - sinceMs) / 1_000;
  return {
    ending,
    pushes,
    answered,
    delivered: Math.min(counted, answered),
    lost: Math.max(0, answered - counted),
    atRisk: clients.answeredMs.filter((atMs) => atMs > beforeMs).length,
    perInterval: Math.round((answered / seconds) * intervalSeconds),
    seconds: Number(seconds.toFixed(1)),
  };
}
