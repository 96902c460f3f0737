import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** An exporter that knows what became of the spans it was given. */
export interface CountedExporter extends SpanExporter {
  readonly counts: ExportCounts;
}

export interface ExportCounts {
  readonly exported: number;
  readonly failed: number;
}

/** Counts spans by their fate, and says once that they cannot be delivered: the SDK itself keeps silent. */
export function countExports(exporter: SpanExporter, url: string): CountedExporter {
  const counts = { exported: 0, failed: 0 };
  return {
    counts,
    export(spans, done) {
      exporter.export(spans, (result) => {
        const code: number = result.code;
        if (code === success) counts.exported += spans.length;
        else {
          if (counts.failed === 0) warn(url, result.error);
          counts.failed += spans.length;
        }
        done(result);
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
