/**
 * Metrics as text, in pieces: Prometheus's format 0.0.4, or OpenMetrics 1.0 with exemplars.
 *
 * Between pieces the event loop gets its turn, so however many series there are, nobody waits longer than for one piece. A line shows its number of the moment it was
 * written; each histogram is written in one piece, so its buckets, sum and count agree.
 *
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Instrument, Sample } from '../instruments/instrument.ts';
import type { Exemplar, ExemplarSource } from './exemplars.ts';

export type Format = 'prometheus' | 'openmetrics';

export interface RenderOptions {
  /** @default 'prometheus' */
  readonly format?: Format;
  /** Shown at the buckets of histograms, in OpenMetrics only. */
  readonly exemplars?: ExemplarSource;
  /** How long it works before the event loop gets its turn. @default 2 */
  readonly sliceMs?: number;
}

export const contentTypes: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const seriesPerPiece = 32;

/** Yields the text of instruments in UTF-8, such as `metrics.instruments`. One that cannot be read has no further lines. */
export async function* renderMetrics(
  instruments: readonly Instrument[],
  { format = 'prometheus', exemplars, sliceMs = 2 }: RenderOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const shown = format === 'openmetrics' ? exemplars : undefined;
  let slice = performance.now();
  for (const instrument of instruments.slice()) {
    let text = headOf(instrument, format);
    for (let from = 0; from === 0 || from < instrument.size; from += seriesPerPiece) {
      const samples = read(instrument, from);
      if (samples === undefined) break;
      for (const sample of samples) text += lineOf(instrument.definition.name, sample, shown);
      if (performance.now() - slice < sliceMs) continue;
      // Bytes: a text that grew from parts would stay in parts, and the collector would copy all of them.
      yield Buffer.from(text);
      text = '';
      await nextTurn();
      slice = performance.now();
    }
    if (text !== '') yield Buffer.from(text);
  }
  if (format === 'openmetrics') yield Buffer.from('# EOF\n');
}

function read(instrument: Instrument, from: number): readonly Sample[] | undefined {
  try {
    return instrument.samples(from, from + seriesPerPiece);
  } catch {
    return undefined;
  }
}

/** OpenMetrics names a counter without `_total`, and says the unit where the name ends in it. */
function headOf({ type, definition }: Instrument, format: Format): string {
  const { help, unit } = definition;
  const open = format === 'openmetrics';
  const name = open && type === 'counter' ? definition.name.replace(/_total$/, '') : definition.name;
  const ofUnit = open && unit !== undefined && name.endsWith(`_${unit}`) ? `# UNIT ${name} ${unit}\n` : '';
  return `# HELP ${name} ${open ? escapeValue(help) : escapeHelp(help)}\n# TYPE ${name} ${type}\n${ofUnit}`;
}

function lineOf(
  metric: string,
  { name = metric, labels, value }: Sample,
  exemplars: ExemplarSource | undefined,
): string {
  let text = '';
  for (const label in labels) text += `${text === '' ? '' : ','}${label}="${escapeValue(labels[label] ?? '')}"`;
  const line = text === '' ? `${name} ${value}` : `${name}{${text}} ${value}`;
  const exemplar = name === metric ? undefined : exemplars?.at(metric, labels);
  return exemplar === undefined ? `${line}\n` : `${line} # ${exemplarText(exemplar)}\n`;
}

function exemplarText({ traceId, spanId, value, atMs }: Exemplar): string {
  return `{trace_id="${traceId}",span_id="${spanId}"} ${value} ${(atMs / 1_000).toFixed(3)}`;
}

function escapeValue(text: string): string {
  return /[\\"\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
