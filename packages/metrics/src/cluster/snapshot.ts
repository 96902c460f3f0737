/** The numbers of one process at one moment, as data that can be sent to another. */
import type { Aggregate, MetricDefinition, MetricType } from '../definition.ts';
import type { Instrument, Sample } from '../instruments/instrument.ts';

export interface MetricSnapshot {
  readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  readonly unit?: MetricDefinition['unit'];
  readonly aggregate: Aggregate;
  /** Upper bounds of a histogram's buckets, as one text: only equal ones can be added. */
  readonly buckets: string;
  readonly samples: readonly Sample[];
}

/** Totals count from the start of the process, so a later snapshot replaces an earlier one, and none is needed twice. */
export function takeSnapshot(instruments: readonly Instrument[]): readonly MetricSnapshot[] {
  return instruments.flatMap((instrument) => {
    const { type, definition } = instrument;
    const { name, help, unit, aggregate = 'sum' } = definition;
    const buckets = 'buckets' in definition ? String(definition.buckets) : '';
    try {
      const samples = [...instrument.samples()];
      return [{ type, name, help, ...(unit !== undefined && { unit }), aggregate, buckets, samples }];
    } catch {
      // One that cannot be read must not cost all others.
      return [];
    }
  });
}
