/** The side of the process that shows metrics: asks its workers, and keeps what those did that are gone. */
import cluster from 'node:cluster';
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { Instrument } from '../instruments/instrument.ts';
import { createGauge } from '../instruments/gauge.ts';
import { instrumentsFrom, Merged } from './merged.ts';
import { clusterMetrics } from './rows.ts';
import { type MetricSnapshot, takeSnapshot } from './snapshot.ts';
import { type Thread, watchCluster, watchThreads } from './workers.ts';

export interface MergeOptions {
  /** Metrics of this process, shown with those of the workers. @default none */
  readonly own?: { readonly instruments: readonly Instrument[] };
  /** How long a collection waits for workers, in milliseconds; of one that has not answered by then its last report is shown. @default 500 */
  readonly waitMs?: number;
  /** Most series of one metric over all workers; what comes later is counted under `other`. @default 10_000 */
  readonly seriesPerMetric?: number;
  readonly clock?: Clock;
}

/** The metrics of all workers as one. Fits `createScrape` of `./scrape`, `createPush` and `createTextfile`. */
export interface MergedMetrics extends AsyncDisposable {
  /** Asks all workers and adds up. Calls at the same moment share one collection. Never rejects. */
  collect(): Promise<readonly Instrument[]>;
  /** Takes a worker thread in, from before it reports until it ends. Cluster workers are in by themselves. */
  add(thread: Thread): void;
  /** Listens no more. What was told stays in `collect`. */
  close(): Promise<void>;
}

/**
 * Merges the metrics of cluster workers and worker threads that have `reportMetrics`.
 *
 * Totals of a worker that ended stay: all of them if it closed its reporting, all but at most its last second if it was killed.
 *
 * @example
 * ```ts
 * const merged = mergeWorkers();
 * createServer(createScrape({ metrics: merged })).listen(9464, '127.0.0.1');
 * ```
 */
export function mergeWorkers(options: MergeOptions = {}): MergedMetrics {
  return new Workers(options);
}

interface Member {
  readonly ask: () => void;
  snapshots: readonly MetricSnapshot[];
  ended: boolean;
  /** Called at its next report, or at its end. */
  answered: (() => void) | undefined;
}

/** So many ended workers are kept as they are, for what they said last may come after their end. */
const keptEnded = 32;

class Workers implements MergedMetrics {
  readonly #members: Map<string, Member> = new Map();
  readonly #past: Merged;
  readonly #options: Required<Omit<MergeOptions, 'own'>>;
  readonly #own: readonly Instrument[] | undefined;
  readonly #threads: ReturnType<typeof watchThreads>;
  readonly #watching: readonly Disposable[];
  #pastWorkers = 0;
  #collecting: Promise<readonly Instrument[]> | undefined;

  constructor({ own, waitMs = 500, seriesPerMetric = 10_000, clock = systemClock }: MergeOptions) {
    requireWhole('waitMs', waitMs, 1);
    requireWhole('seriesPerMetric', seriesPerMetric, 1);
    this.#options = { waitMs, seriesPerMetric, clock };
    this.#own = own?.instruments;
    this.#past = new Merged(seriesPerMetric);
    const listener = {
      began: (key: string, ask: () => void) => {
        this.#members.set(key, { ask, snapshots: [], ended: false, answered: undefined });
      },
      reported: (key: string, snapshots: readonly MetricSnapshot[]) => this.#reported(key, snapshots),
      ended: (key: string) => this.#ended(key),
    };
    this.#threads = watchThreads(listener);
    this.#watching = [this.#threads, watchCluster(cluster, listener)];
  }

  add(thread: Thread): void {
    this.#threads.add(thread);
  }

  collect(): Promise<readonly Instrument[]> {
    this.#collecting ??= this.#collect().finally(() => (this.#collecting = undefined));
    return this.#collecting;
  }

  close(): Promise<void> {
    for (const one of this.#watching) one[Symbol.dispose]();
    for (const member of this.#members.values()) member.answered?.();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #collect(): Promise<readonly Instrument[]> {
    const late = await this.#ask();
    const merged = new Merged(this.#options.seriesPerMetric);
    if (this.#own !== undefined) merged.add(takeSnapshot(this.#own));
    for (const { snapshots, ended } of this.#members.values()) merged.add(snapshots, ended);
    merged.add(this.#past.snapshots(), true);
    const ended = [...this.#members.values()].filter((member) => member.ended).length;
    const workers = createGauge(clusterMetrics.workers, 100);
    workers.with('now').set(this.#members.size - ended - late);
    workers.with('late').set(late);
    workers.with('ended').set(ended + this.#pastWorkers);
    const conflicts = createGauge(clusterMetrics.conflicts, 100);
    conflicts.with().set(merged.conflicts + this.#past.conflicts);
    return [...instrumentsFrom(merged.snapshots()), workers, conflicts];
  }

  /** @returns how many did not answer in time */
  async #ask(): Promise<number> {
    const waiting = new Set<Member>();
    const answers = [...this.#members.values()]
      .filter(({ ended }) => !ended)
      .map((member) => {
        waiting.add(member);
        return new Promise<void>((resolve) => {
          member.answered = () => {
            waiting.delete(member);
            resolve();
          };
          member.ask();
        });
      });
    if (answers.length === 0) return 0;
    const { waitMs, clock } = this.#options;
    const enough = new AbortController();
    const given = sleep(waitMs, { signal: enough.signal, clock }).catch(() => {});
    await Promise.race([Promise.all(answers), given]);
    enough.abort();
    for (const member of this.#members.values()) member.answered = undefined;
    return waiting.size;
  }

  #reported(key: string, snapshots: readonly MetricSnapshot[]): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.snapshots = snapshots;
    member.answered?.();
  }

  #ended(key: string): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.ended = true;
    member.answered?.();
    const ended = [...this.#members].filter(([, one]) => one.ended);
    for (const [oldest, { snapshots }] of ended.slice(0, -keptEnded)) {
      this.#past.add(snapshots, true);
      this.#pastWorkers++;
      this.#members.delete(oldest);
    }
  }
}
