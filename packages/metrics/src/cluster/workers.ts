/** The workers of a process, as those who are asked for numbers and who tell them. */
import type { Cluster, Worker as ClusterWorker } from 'node:cluster';
import { openChannel } from './channel.ts';
import { type Ask, isReport, withNumbers } from './messages.ts';
import type { MetricSnapshot } from './snapshot.ts';

/** What is told of workers; keys are unique over both kinds. */
export interface WorkerListener {
  began(key: string, ask: () => void): void;
  reported(key: string, snapshots: readonly MetricSnapshot[]): void;
  ended(key: string): void;
}

/** Watches all workers of a cluster, those of now and those that come. */
export function watchCluster(cluster: Cluster, listener: WorkerListener): Disposable {
  const keyOf = ({ id }: ClusterWorker): string => `worker ${id}`;
  const began = (worker: ClusterWorker): void => {
    listener.began(keyOf(worker), () => {
      if (worker.isConnected()) worker.send({ kind: '@sage-adk/metrics/ask' } satisfies Ask, () => {});
    });
  };
  const told = (worker: ClusterWorker, message: unknown): void => {
    if (isReport(message)) listener.reported(keyOf(worker), withNumbers(message.snapshots));
  };
  const ended = (worker: ClusterWorker): void => listener.ended(keyOf(worker));
  Object.values(cluster.workers ?? {}).forEach((worker) => worker && began(worker));
  cluster.on('fork', began);
  cluster.on('message', told);
  cluster.on('exit', ended);
  return {
    [Symbol.dispose]() {
      cluster.off('fork', began);
      cluster.off('message', told);
      cluster.off('exit', ended);
    },
  };
}

/** A `Worker` of `node:worker_threads`. */
export interface Thread {
  readonly threadId: number;
  once(event: 'exit', listener: () => void): unknown;
}

/** Threads that are told of one by one: Node has no list of them. */
export interface Threads extends Disposable {
  add(thread: Thread): void;
}

export function watchThreads(listener: WorkerListener): Threads {
  const known = new Set<number>();
  const channel = openChannel((message) => {
    if (isReport(message) && message.from !== undefined && known.has(message.from)) {
      listener.reported(`thread ${message.from}`, message.snapshots);
    }
  });
  return {
    add(thread) {
      const { threadId } = thread;
      // It has ended already, and nobody will say so.
      if (threadId < 0) return;
      known.add(threadId);
      listener.began(`thread ${threadId}`, () => {
        channel.postMessage({ kind: '@sage-adk/metrics/ask', to: threadId }, []);
      });
      thread.once('exit', () => listener.ended(`thread ${threadId}`));
    },
    [Symbol.dispose]: () => channel.close(),
  };
}
