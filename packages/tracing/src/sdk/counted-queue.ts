import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { CountedExporter, ExportCounts } from './counted-exporter.ts';

/** What became of the spans that were sampled and ended. Together they are all of them. */
export interface SpanCounts extends ExportCounts {
  /** Came while as many waited as may. */
  readonly droppedQueue: number;
  /** Ended after the end. */
  readonly droppedClosed: number;
  /** Wait, or are being sent. */
  readonly pending: number;
}

export interface CountedQueue extends SpanProcessor {
  counts(): SpanCounts;
}

/**
 * A batch processor that says what it drops: the SDK's own keeps silent, so it is never given more than it takes.
 *
 * @param maxSpans no more than the queue of `next`.
 */
export function countQueue(next: SpanProcessor, exporter: CountedExporter, maxSpans: number): CountedQueue {
  let given = 0;
  let droppedQueue = 0;
  let droppedClosed = 0;
  let isClosed = false;
  const pending = (): number => given - exporter.counts.exported - exporter.counts.failed;
  return {
    onStart: (span, context) => next.onStart(span, context),
    onEnd(span) {
      if ((span.spanContext().traceFlags & 1) === 0) return;
      if (isClosed) droppedClosed++;
      else if (pending() >= maxSpans) droppedQueue++;
      else {
        given++;
        next.onEnd(span);
      }
    },
    // The SDK's own waits for what is in its queue, not for the batch that is being sent.
    async forceFlush() {
      const upToNow = given;
      await next.forceFlush();
      await exporter.settled(upToNow);
    },
    async shutdown() {
      isClosed = true;
      await next.shutdown();
      await exporter.settled(given);
    },
    counts: () => ({ ...exporter.counts, droppedQueue, droppedClosed, pending: pending() }),
  };
}
