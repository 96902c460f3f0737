/** What an agent counts itself, as a scrape of its metrics tells it. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Scrape {
  /** The sum of all series of a counter that have these labels; `!ok` is any but `ok`. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  const all = text.split('\n').flatMap(seriesIn);
  return {
    sum: (name, labels = {}) =>
      all.filter((series) => series.name === name && fits(series, labels)).reduce((sum, { value }) => sum + value, 0),
  };
}

/** Scrapes until what is still being finished is counted too. */
export async function scrapeWhenIdle(url: string): Promise<Scrape> {
  for (;;) {
    const scraped = await scrape(url);
    if (scraped.sum('sage_agent_requests_in_flight') === 0) return scraped;
    await delay(20);
  }
}

function seriesIn(line: string): readonly Series[] {
  const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key, word]);
  return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
}

function fits({ labels }: Series, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, word]) =>
    word.startsWith('!') ? labels[key] !== word.slice(1) : labels[key] === word,
  );
}
