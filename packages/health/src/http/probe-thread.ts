import { Worker } from 'node:worker_threads';
import { errors } from '../errors.ts';
import type { Health } from '../health.ts';
import { answersOf } from './answers.ts';
import type { ProbeWorkerData, ProbeWorkerMessage } from './probe-worker.ts';
import type { Answers, PathsOfProbes } from './respond.ts';
import type { Place, ServedProbes } from './served-probes.ts';

export interface ThreadOptions extends Place {
  readonly paths: PathsOfProbes;
  readonly details: boolean;
  readonly blockedAfterMs: number;
}

/** Probes that a thread of their own serves. */
export interface ProbeThread extends ServedProbes {
  readonly worker: Worker;
}

/**
 * Serves the probes in a thread of their own, which answers whatever happens to the event loop of this one.
 *
 * Rejects with `SAGE_HEALTH_LISTEN_FAILED` where the port cannot be had, and with `SAGE_HEALTH_NO_THREAD` where there can be no thread.
 */
export async function serveInThread(health: Health, options: ThreadOptions): Promise<ProbeThread> {
  const { host, port, paths, details, blockedAfterMs } = options;
  const beatMs = Math.min(1_000, Math.max(20, blockedAfterMs / 4));
  const beat = new BigInt64Array(new SharedArrayBuffer(8));
  Atomics.store(beat, 0, process.hrtime.bigint());
  let told = answersOf(health, details);
  const worker = startWorker({ host, port, paths, answers: told, beat, silentAfterMs: blockedAfterMs + beatMs });
  const tell = (): void => {
    const answers = answersOf(health, details);
    if (isSame(answers, told)) return;
    told = answers;
    worker.postMessage(answers, []);
  };
  // The beat also tells what time alone has changed: a result that got stale.
  const timer = setInterval(() => {
    Atomics.store(beat, 0, process.hrtime.bigint());
    tell();
  }, beatMs).unref();
  const subscription = health.onChange(tell);
  const stop = (): void => {
    clearInterval(timer);
    subscription[Symbol.dispose]();
  };
  const broken = endOf(worker);
  void broken.then(stop);
  try {
    const bound = await portOf(worker, broken, options);
    // Probes alone are no reason for a process to stay.
    worker.unref();
    return { worker, port: bound, broken, close: () => end(worker, stop) };
  } catch (error) {
    await end(worker, stop);
    throw error;
  }
}

function startWorker(workerData: ProbeWorkerData): Worker {
  // In the package's own tests the file is not built.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  try {
    return new Worker(new URL(`./probe-worker${ending}`, import.meta.url), {
      name: 'sage-adk-probes',
      workerData,
      // What is preloaded into the process is not for this thread.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
  } catch (cause) {
    throw errors.NO_THREAD({ reason: cause instanceof Error ? cause.message : String(cause) }, { cause });
  }
}

function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    worker.on('error', (error) => resolve(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => resolve(`the thread ended with ${code}`));
  });
}

async function portOf(worker: Worker, broken: Promise<string>, { host, port }: Place): Promise<number> {
  const said = new Promise<ProbeWorkerMessage>((resolve) => worker.once('message', resolve));
  const first = await Promise.race([said, broken]);
  if (typeof first === 'string') throw errors.NO_THREAD({ reason: first });
  if (first.name === 'failed') throw errors.LISTEN_FAILED({ host, port, reason: first.reason });
  return first.port;
}

async function end(worker: Worker, stop: () => void): Promise<void> {
  stop();
  worker.ref();
  await worker.terminate();
}

function isSame(a: Answers, b: Answers): boolean {
  return (['live', 'ready', 'startup'] as const).every((probe) => a[probe].body === b[probe].body);
}
