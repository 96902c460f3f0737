/** Where metrics come from: those of this process, or of several that had to be asked. */
import type { Instrument } from './instruments/instrument.ts';

export type Collected = { readonly instruments: readonly Instrument[] } | { collect(): Promise<readonly Instrument[]> };

export async function instrumentsOf(metrics: Collected): Promise<readonly Instrument[]> {
  return 'collect' in metrics ? metrics.collect() : metrics.instruments;
}
