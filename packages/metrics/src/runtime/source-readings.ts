/** Counters that hot paths keep behind a `source`, as metrics of their own or, where they have none, as `sage_source`. */
import { sources } from '@sage-adk/core';
import type { Instrument } from '../instruments/instrument.ts';
import { type Add, createPulled } from '../instruments/pulled.ts';
import { sourceMetrics } from '../table/sources.ts';

/** One of the places that a row names behind `source`. */
interface Place {
  readonly source: RegExp;
  readonly name: RegExp;
}

/** An instrument for each row that is read from sources. */
export function createSourceInstruments(limit: number): readonly Instrument[] {
  return sourceMetrics.map((row) => {
    const places = row.from.split(',').map(placeOf);
    return createPulled(row.type, row, limit, (add) => {
      readSources((value, source, name) => {
        for (const place of places) {
          const found = [place.source.exec(source), place.name.exec(name)];
          if (found.every((match) => match !== null)) {
            add(value, ...found.flatMap(([, ...parts]) => parts).flatMap((part) => part.split('|')));
          }
        }
      });
    });
  });
}

/** Sources that are a metric as a whole. */
const whole = new Set(sourceMetrics.map(({ from }) => /^source (\S+[^*]) \*$/.exec(from)?.[1]));

/** What has no metric of its own as a whole. */
export function readOtherSources(add: Add<readonly ['source', 'name']>): void {
  readSources((value, source, name) => {
    if (!whole.has(source)) add(value, source, name);
  });
}

function placeOf(text: string): Place {
  const [, source = '', name = ''] = text.split(' ');
  return { source: patternOf(source), name: patternOf(name) };
}

/** A star stands for the values of labels. */
function patternOf(text: string): RegExp {
  return new RegExp(`^${text.replaceAll('.', String.raw`\.`).replace('*', '(.*)')}$`);
}

function readSources(add: (value: number, source: string, name: string) => void): void {
  for (const source of sources()) {
    try {
      for (const [name, value] of Object.entries(source.read())) add(value, source.name, name);
    } catch {
      // One broken source must not cost the scrape of all the others; it is seen by its absence.
    }
  }
}
