/** Where the memory store keeps the state of each rule. */
import type { CompiledRule } from '../compile.ts';
import { type Counter, createCounter, type Instant } from './counters/index.ts';
import { KeyTable } from './key-table.ts';

export interface Place {
  readonly table: KeyTable;
  readonly counter: Counter;
}

// Places of single subjects that are looked at for each new one: so there are never many more of them than count.
const probes = 2;

/** A counter for each rule, and a table of keys for each space of rules. */
export class Places {
  readonly #maxKeys: number;
  readonly #now: Instant;
  readonly #tables = new Map<string, KeyTable>();
  readonly #places = new Map<string, Place>();
  readonly #isHeld: (place: Place) => boolean;
  /** The rules that were made for single subjects: each change of a bucket's limit makes one, and leaves the one before behind. */
  readonly #ofSubjects = new Set<CompiledRule>();
  /** The rules of the last decisions by their order, and their places. */
  readonly #rules: CompiledRule[] = [];
  readonly #recent: Place[] = [];

  /** @param isHeld whether a reservation that is not settled has a part there. */
  constructor(maxKeys: number, now: Instant, isHeld: (place: Place) => boolean) {
    this.#maxKeys = maxKeys;
    this.#now = now;
    this.#isHeld = isHeld;
  }

  of(rule: CompiledRule): Place {
    return this.#places.get(rule.id) ?? this.#add(rule);
  }

  /** Where something is kept of a rule, if it is. */
  known({ id }: CompiledRule): Place | undefined {
    return this.#places.get(id);
  }

  /** {@link of} the rule that comes as the nth in a decision: mostly it did before. */
  at(n: number, rule: CompiledRule): Place {
    const recent = this.#recent[n];
    return recent !== undefined && this.#rules[n] === rule ? recent : this.#remember(n, rule);
  }

  counts() {
    const counts = { keys: 0, reclaimed: 0 };
    for (const { size, reclaimed } of this.#tables.values()) {
      counts.keys += size;
      counts.reclaimed += reclaimed;
    }
    return counts;
  }

  /** A copy of all state. */
  image() {
    return {
      keys: [...this.#tables].map(([space, table]) => [space, [...table.keys()]]),
      states: [...this.#places].map(([id, { counter }]) => [id, counter.image()]),
    };
  }

  clear(): void {
    this.#tables.clear();
    this.#places.clear();
    this.#ofSubjects.clear();
    this.#rules.length = this.#recent.length = 0;
  }

  #remember(n: number, rule: CompiledRule): Place {
    this.#rules[n] = rule;
    return (this.#recent[n] = this.of(rule));
  }

  #add(rule: CompiledRule): Place {
    const place = { table: this.#table(rule.space), counter: createCounter(rule.strategy, this.#maxKeys) };
    place.table.counters.push(place.counter);
    if (rule.forSubject) this.#makeRoom(rule);
    this.#places.set(rule.id, place);
    return place;
  }

  /** Forgets those of single subjects that count no more. */
  #makeRoom(added: CompiledRule): void {
    let looks = probes;
    for (const rule of this.#ofSubjects) {
      if (looks-- === 0) break;
      this.#ofSubjects.delete(rule);
      const place = this.#places.get(rule.id);
      if (place === undefined) continue;
      if (!place.table.isIdle || this.#isHeld(place)) this.#ofSubjects.add(rule);
      else this.#forget(rule);
    }
    this.#ofSubjects.add(added);
  }

  /** Its space is its own. */
  #forget({ id, space }: CompiledRule): void {
    this.#places.delete(id);
    this.#tables.delete(space);
    this.#rules.length = this.#recent.length = 0;
  }

  #table(space: string): KeyTable {
    const table = this.#tables.get(space) ?? new KeyTable(this.#maxKeys, this.#now);
    this.#tables.set(space, table);
    return table;
  }
}
