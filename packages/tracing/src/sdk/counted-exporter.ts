import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** An exporter that knows what became of the spans it was given. */
export interface CountedExporter extends SpanExporter {
  readonly counts: ExportCounts;
  /** Resolves when as many spans have been delivered or given up. */
  settled(spans: number): Promise<void>;
}

export interface ExportCounts {
  readonly exported: number;
  readonly failed: number;
}

/** Counts spans by their fate, and says once that they cannot be delivered: the SDK itself keeps silent. */
export function countExports(exporter: SpanExporter, url: string): CountedExporter {
  const counts = { exported: 0, failed: 0 };
  const waiting = new Set<{ readonly spans: number; resolve(): void }>();
  const isSettled = (spans: number): boolean => counts.exported + counts.failed >= spans;
  const tellWaiting = (): void => {
    for (const waiter of waiting) {
      if (!isSettled(waiter.spans)) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  return {
    counts,
    settled: (spans) =>
      isSettled(spans) ? Promise.resolve() : new Promise((resolve) => void waiting.add({ spans, resolve })),
    export(spans, done) {
      exporter.export(spans, (result) => {
        const code: number = result.code;
        if (code === success) counts.exported += spans.length;
        else {
          if (counts.failed === 0) warn(url, result.error);
          counts.failed += spans.length;
        }
        done(result);
        tellWaiting();
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`, which the exporters bring and we don't ask for. */
const success = 0;

function warn(url: string, error: Error | undefined): void {
  process.emitWarning(`Spans cannot be delivered to ${withoutSecrets(url)}: ${String(error ?? 'refused')}`, {
    code: 'SAGE_TRACING_EXPORT_FAILED',
  });
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
