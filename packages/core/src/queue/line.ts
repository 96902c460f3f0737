import type { Entry } from './entry.ts';
import type { HeapMember } from './heap.ts';

/** How many levels of urgency there are; 0 is the most urgent. */
export const levels = 4;

/** The entries of one tenant, first come first served in each level, and the tenant's place in virtual time. */
export class Line<T> implements HeapMember {
  heapIndex = -1;
  readonly tenant: string;
  weight = 1;
  size = 0;
  /** The entry that leaves next. */
  front: Entry<T> | undefined;
  /** Virtual finish time of the front entry. */
  finishTag = 0;
  /** Virtual finish time of the entry that was served last; until then, the virtual time at which the tenant began to wait. */
  #servedTag: number;
  readonly #first: (Entry<T> | undefined)[] = Array.from({ length: levels }, () => undefined);
  readonly #last: (Entry<T> | undefined)[] = Array.from({ length: levels }, () => undefined);

  constructor(tenant: string, virtualTime: number) {
    this.tenant = tenant;
    this.#servedTag = virtualTime;
  }

  /** Whether the entry became the front. */
  append(entry: Entry<T>): boolean {
    const last = this.#last[entry.level];
    if (last === undefined) this.#first[entry.level] = entry;
    else last.next = entry;
    entry.previous = last;
    this.#last[entry.level] = entry;
    this.size++;
    if (this.front !== undefined && !entry.precedes(this.front)) return false;
    this.front = entry;
    return true;
  }

  /** Whether the entry was the front. */
  remove(entry: Entry<T>): boolean {
    const { previous, next, level } = entry;
    if (previous === undefined) this.#first[level] = next;
    else previous.next = next;
    if (next === undefined) this.#last[level] = previous;
    else next.previous = previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.size--;
    if (this.front !== entry) return false;
    this.front = this.#earliest();
    return true;
  }

  /** The front entry is served: the tenant has used its finish tag up. */
  charge(): void {
    this.#servedTag = this.finishTag;
  }

  /** Gives the front entry its finish tag. */
  tag(virtualTime: number): void {
    // Never in the past: else a tenant could park a huge entry, earn time towards it, and spend that on small urgent ones.
    const cost = this.front === undefined ? 0 : this.front.cost;
    this.finishTag = Math.max(virtualTime, this.#servedTag + cost / this.weight);
  }

  /** Moves the origin of virtual time. */
  rebase(virtualTime: number): void {
    this.#servedTag -= virtualTime;
    this.finishTag -= virtualTime;
  }

  *[Symbol.iterator](): Generator<Entry<T>> {
    for (let entry of this.#first) {
      for (; entry !== undefined; entry = entry.next) yield entry;
    }
  }

  #earliest(): Entry<T> | undefined {
    let earliest: Entry<T> | undefined;
    for (const first of this.#first) {
      if (first !== undefined && (earliest === undefined || first.precedes(earliest))) earliest = first;
    }
    return earliest;
  }
}
