/**
 * The cells of one metric by label values, in a trie of maps: finding one is a look-up per label, with nothing hashed or joined.
 *
 * At most `limit` series ever exist. A combination that comes too late is counted in the series that has `other` in place of its open labels,
 * so whatever the values are, sums over the metric stay right and memory stays bounded. No series ever goes: a total never goes back.
 */
import type { MetricDefinition } from '../definition.ts';
import type { LabelValue } from './instrument.ts';

export const overflowValue = 'other';
/** Longer values are `other`: memory is bounded in bytes too. */
const longestValue = 128;

export interface Entry<C> {
  readonly labels: Readonly<Record<string, string>>;
  readonly cell: C;
}

export class Series<C> {
  readonly entries: Entry<C>[] = [];
  overflowed = 0;
  readonly #labels: readonly string[];
  readonly #closed: readonly (ReadonlySet<string> | undefined)[];
  readonly #make: () => C;
  readonly #root = new Branch<C>();
  /** Series that any values may take; the rest of the limit is kept for the overflow. */
  readonly #regularLimit: number;
  /** Whether closed labels keep their value in the overflow: then there may be one series for each of their combinations. */
  readonly #keepsClosed: boolean;
  #regular = 0;
  // The values asked for last, and their cell: of one operation several metrics ask for the same, again and again.
  #lastValues: readonly LabelValue[] | undefined;
  #lastCell: C | undefined;

  constructor({ labels = [], values = {} }: MetricDefinition, limit: number, make: () => C) {
    this.#labels = labels;
    this.#closed = labels.map((label) => (values[label] === undefined ? undefined : new Set(values[label])));
    this.#make = make;
    const combinations = this.#closed.reduce((product, set) => product * ((set?.size ?? 0) + 1), 1);
    this.#keepsClosed = combinations <= limit / 2;
    this.#regularLimit = limit - (this.#keepsClosed ? combinations : 1);
    // Without labels there is one series, and it counts from 0 and not from its first event.
    if (labels.length === 0) this.#insert([]);
  }

  /** The cell of these values, made when it is new. */
  at(values: readonly LabelValue[]): C {
    if (this.#lastCell !== undefined && this.#areLast(values)) return this.#lastCell;
    const found = this.#find(values);
    if (found === undefined) return this.#miss(values);
    this.#lastValues = values;
    this.#lastCell = found;
    return found;
  }

  #areLast(values: readonly LabelValue[]): boolean {
    for (let i = 0; i < this.#labels.length; i++) if (values[i] !== this.#lastValues?.[i]) return false;
    return true;
  }

  #find(values: readonly LabelValue[]): C | undefined {
    let branch: Branch<C> | undefined = this.#root;
    for (let i = 0; i < this.#labels.length; i++) {
      branch = branch.next.get(textOf(values[i]));
      if (branch === undefined) return undefined;
    }
    return branch.cell;
  }

  #miss(values: readonly LabelValue[]): C {
    const texts = this.#labels.map((_, i) => this.#admit(i, textOf(values[i])));
    const known = this.#find(texts);
    if (known !== undefined) return known;
    if (this.#regular < this.#regularLimit) {
      this.#regular++;
      return this.#insert(texts);
    }
    this.overflowed++;
    const folded = texts.map((text, i) => (this.#keepsClosed && this.#closed[i] !== undefined ? text : overflowValue));
    return this.#find(folded) ?? this.#insert(folded);
  }

  #admit(index: number, text: string): string {
    const closed = this.#closed[index];
    const fits = closed === undefined ? text.length <= longestValue : closed.has(text);
    // In UTF-8 all lone surrogates are the same.
    return fits ? text.toWellFormed() : overflowValue;
  }

  #insert(texts: readonly string[]): C {
    let branch = this.#root;
    for (const text of texts) {
      let next = branch.next.get(text);
      if (next === undefined) branch.next.set(text, (next = new Branch()));
      branch = next;
    }
    const cell = this.#make();
    branch.cell = cell;
    this.entries.push({ labels: Object.fromEntries(this.#labels.map((label, i) => [label, texts[i] ?? ''])), cell });
    return cell;
  }
}

class Branch<C> {
  readonly next: Map<string, Branch<C>> = new Map();
  cell: C | undefined;
}

function textOf(value: LabelValue): string {
  return typeof value === 'string' ? value : value === undefined ? '' : String(value);
}
