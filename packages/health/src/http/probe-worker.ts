/** The thread that serves the probes: it answers what it was told last, and knows from the beat when the main thread stands still. */
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { type Answer, type Answers, createAnswering, createProbeServer, type PathsOfProbes } from './respond.ts';

/** What the thread is started with. */
export interface ProbeWorkerData {
  readonly host: string;
  readonly port: number;
  readonly paths: PathsOfProbes;
  readonly answers: Answers;
  /** Holds the time of the last beat of the main thread, in nanoseconds of `process.hrtime`, which all threads share. */
  readonly beat: BigInt64Array;
  /** Milliseconds without a beat after which the main thread counts as blocked. */
  readonly silentAfterMs: number;
}

/** What the thread says, once: where it listens, or why it cannot. */
export type ProbeWorkerMessage =
  | { readonly name: 'listening'; readonly port: number }
  | { readonly name: 'failed'; readonly reason: string };

const { host, port, paths, beat, silentAfterMs, ...first } = workerData as ProbeWorkerData;
let { answers } = first;
parentPort?.on('message', (next: Answers) => void (answers = next));

const answering = createAnswering(paths, (probe) => {
  const silentMs = Number((process.hrtime.bigint() - Atomics.load(beat, 0)) / 1_000_000n);
  // What started stays started; anything else is not known any more.
  return probe === 'startup' || silentMs <= silentAfterMs ? answers[probe] : blocked(silentMs);
});
const server = createProbeServer(answering);
server.on('error', (error: NodeJS.ErrnoException) => say({ name: 'failed', reason: error.code ?? error.message }));
server.listen(port, host, () => say({ name: 'listening', port: (server.address() as AddressInfo).port }));

function blocked(silentMs: number): Answer {
  const seconds = (silentMs / 1_000).toFixed(1);
  const body = { status: 'fail', reason: `the event loop is blocked for ${seconds} s`, checks: [] };
  return { status: 503, body: `${JSON.stringify(body)}\n` };
}

function say(message: ProbeWorkerMessage): void {
  parentPort?.postMessage(message, []);
}
