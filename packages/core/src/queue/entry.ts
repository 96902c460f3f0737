import type { HeapMember } from './heap.ts';
import type { Line } from './line.ts';

/** One waiting item. It is at once the ticket of its owner, the listener of its signal, and a link of its tenant's line. */
export class Entry<T> implements HeapMember {
  readonly accepted = true;
  heapIndex = -1;
  waiting = true;
  previous: Entry<T> | undefined;
  next: Entry<T> | undefined;
  readonly item: T;
  readonly line: Line<T>;
  readonly level: number;
  readonly cost: number;
  /** When it would have come had it been of the most urgent level: ageing as a constant, so the order never changes while it waits. */
  readonly rankMs: number;
  readonly sequence: number;
  readonly deadlineMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #drop: (entry: Entry<T>) => void;

  constructor(item: T, line: Line<T>, fields: EntryFields, drop: (entry: Entry<T>) => void) {
    this.item = item;
    this.line = line;
    this.level = fields.level;
    this.cost = fields.cost;
    this.rankMs = fields.rankMs;
    this.sequence = fields.sequence;
    this.deadlineMs = fields.deadlineMs;
    this.#signal = fields.signal;
    this.#drop = drop;
    // The entry itself listens: no closure for each of a hundred thousand entries.
    this.#signal?.addEventListener('abort', this, { once: true });
  }

  cancel(): boolean {
    if (!this.waiting) return false;
    this.#drop(this);
    return true;
  }

  handleEvent(): void {
    this.cancel();
  }

  /** The entry left the queue, whichever way. */
  leave(): void {
    this.waiting = false;
    this.#signal?.removeEventListener('abort', this);
  }

  precedes(other: Entry<T>): boolean {
    return this.rankMs < other.rankMs || (this.rankMs === other.rankMs && this.sequence < other.sequence);
  }
}

export interface EntryFields {
  readonly level: number;
  readonly cost: number;
  readonly rankMs: number;
  readonly sequence: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}
