/** The side of a worker: tells its numbers each second, when it is asked, and when it ends. */
import { isMainThread, threadId } from 'node:worker_threads';
import { type Clock, requireWhole, systemClock, type Timer } from '@sage-adk/core';
import type { Instrument } from '../instruments/instrument.ts';
import { openChannel } from './channel.ts';
import { isAsk, type Report, withTexts } from './messages.ts';
import { takeSnapshot } from './snapshot.ts';

export interface ReportOptions {
  /** `createMetrics()` fits. */
  readonly metrics: { readonly instruments: readonly Instrument[] };
  /** How often it tells unasked, in milliseconds; a worker that is killed loses at most this much. @default 1000 */
  readonly everyMs?: number;
  readonly clock?: Clock;
}

/** A worker that tells its numbers until it is closed. */
export interface Reporting extends AsyncDisposable {
  /** Tells them now. Resolves when they are on their way. */
  report(): Promise<void>;
  /** Tells them a last time. Close it when nothing counts any more, before the metrics. */
  close(): Promise<void>;
}

/**
 * Reports the metrics of a cluster worker or a worker thread to the process that has `mergeWorkers`.
 *
 * @example
 * ```ts
 * const reporting = reportMetrics({ metrics });
 * ```
 */
export function reportMetrics({ metrics, everyMs = 1_000, clock = systemClock }: ReportOptions): Reporting {
  requireWhole('everyMs', everyMs, 1);
  let timer: Timer | undefined;
  let closing: Promise<void> | undefined;
  const report = (): Promise<void> => line.send(takeSnapshot(metrics.instruments));
  const line = isMainThread ? processLine(() => void report()) : threadLine(() => void report());
  const wait = (): void => {
    timer = clock.setTimer(() => {
      void report();
      wait();
    }, everyMs);
  };
  wait();
  const close = async (): Promise<void> => {
    timer?.cancel();
    await report();
    line.close();
  };
  return {
    report,
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

interface Line {
  send(snapshots: Report['snapshots']): Promise<void>;
  close(): void;
}

/** A cluster worker has a channel to its primary; a process without one reports to nobody. */
function processLine(asked: () => void): Line {
  const listener = (message: unknown): void => {
    if (isAsk(message)) asked();
  };
  process.on('message', listener);
  return {
    send(snapshots) {
      const report: Report = { kind: '@sage-adk/metrics/report', snapshots: withTexts(snapshots) };
      return new Promise((resolve) => {
        // A primary that is gone wants no numbers.
        if (!process.connected || process.send === undefined) resolve();
        else process.send(report, undefined, undefined, () => resolve());
      });
    },
    close: () => void process.off('message', listener),
  };
}

/** A channel of its own: listening at the parent's port would keep the thread alive. */
function threadLine(asked: () => void): Line {
  const channel = openChannel((message) => {
    if (isAsk(message) && message.to === threadId) asked();
  });
  return {
    send(snapshots) {
      channel.postMessage({ kind: '@sage-adk/metrics/report', from: threadId, snapshots }, []);
      return Promise.resolve();
    },
    close: () => channel.close(),
  };
}
