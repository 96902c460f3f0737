import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, type UnpackedPackages } from '@tooling/services';
import { type AgentProcess, createAgentProcess } from './agent-process.ts';
import { startHaproxy } from './haproxy.ts';
import { type Load, startLoad } from './load.ts';
import { openSlowStream } from './slow-stream.ts';

export interface RollingRestartOptions {
  readonly haproxy: UnpackedPackages;
  /** At least so many. */
  readonly posts: number;
  readonly restarts: number;
  readonly clients: number;
  /** Milliseconds that each client waits between two POSTs. @default 0 */
  readonly pauseMs?: number;
  /** Seconds that an agent still serves after it is not ready any more. */
  readonly drainDelaySeconds: number;
}

export interface RollingRestartResult {
  readonly posts: number;
  readonly failedPosts: number;
  /** The first of them. */
  readonly failures: readonly string[];
  readonly restarts: number;
  /** Streams that were open when their agent was told to end. */
  readonly streams: number;
  /** Those of them that alone kept their agent from ending, after its delay. */
  readonly streamsThatHeld: number;
  readonly brokenStreams: readonly string[];
  /** How the agents ended that were restarted; 0 each where all is well. */
  readonly exitCodes: readonly (number | string)[];
  readonly seconds: number;
  readonly postsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const agents = 3;

/** Restarts three agents behind HAProxy one after the other, under load. */
export async function rollingRestart(options: RollingRestartOptions): Promise<RollingRestartResult> {
  const folder = await mkdtemp(join(tmpdir(), 'rolling-restart-'));
  try {
    await using stack = new AsyncDisposableStack();
    const entrance = await freePort();
    const processes = await Promise.all(
      Array.from({ length: agents }, async (_, index) =>
        createAgentProcess({
          name: `agent-${index}`,
          port: await freePort(),
          healthPort: await freePort(),
          folder,
          drainDelaySeconds: options.drainDelaySeconds,
        }),
      ),
    );
    for (const one of processes) stack.use(one);
    stack.use(await startHaproxy({ haproxy: options.haproxy, port: entrance, backends: processes, folder }));
    await Promise.all(processes.map((one) => one.start()));
    await delay(seenMs);
    return await drill(`http://127.0.0.1:${entrance}/v1/messages`, processes, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** HAProxy has seen by then that an agent is ready, or is not any more. */
const seenMs = 500;

async function drill(
  url: string,
  processes: readonly AgentProcess[],
  { posts, restarts, clients, pauseMs = 0, drainDelaySeconds }: RollingRestartOptions,
): Promise<RollingRestartResult> {
  const sinceMs = performance.now();
  const load = startLoad({ url, clients, pauseMs });
  const exitCodes: (number | string)[] = [];
  const brokenStreams: string[] = [];
  let streams = 0;
  let streamsThatHeld = 0;
  try {
    while (exitCodes.length < restarts || load.posts < posts) {
      const one = processes[exitCodes.length % processes.length];
      if (one === undefined) break;
      const stream = await openSlowStream(url, one.name);
      streams++;
      const ending = one.end();
      await delay(drainDelaySeconds * 1_000 + seenMs);
      if (one.isRunning()) streamsThatHeld++;
      const broken = await stream.finish();
      if (broken !== undefined) brokenStreams.push(broken);
      exitCodes.push(await ending);
      await one.start();
      await delay(seenMs);
    }
  } finally {
    await load.stop();
  }
  return resultOf(
    load,
    { restarts: exitCodes.length, streams, streamsThatHeld, brokenStreams, exitCodes },
    performance.now() - sinceMs,
  );
}

function resultOf(
  load: Load,
  rest: Pick<RollingRestartResult, 'restarts' | 'streams' | 'streamsThatHeld' | 'brokenStreams' | 'exitCodes'>,
  tookMs: number,
): RollingRestartResult {
  const latencies = load.latencies();
  const at = (share: number): number => round(latencies[Math.floor(share * (latencies.length - 1))] ?? 0);
  return {
    posts: load.posts,
    failedPosts: load.failures.length,
    failures: load.failures.slice(0, 10),
    ...rest,
    seconds: round(tookMs / 1_000),
    postsPerSecond: round(load.posts / (tookMs / 1_000)),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
