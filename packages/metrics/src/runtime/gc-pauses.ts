import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Histogram } from '../instruments/histogram.ts';

const kinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak_callbacks',
};

/** Observes the garbage collector's pauses, in seconds, by kind. */
export function observeGcPauses(histogram: Histogram<readonly ['kind']>): Disposable {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Node gives entries of this type a detail; its types don't know.
      const { detail } = entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } };
      histogram.with(kinds[detail?.kind ?? 0]).observe(entry.duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return { [Symbol.dispose]: () => observer.disconnect() };
}
