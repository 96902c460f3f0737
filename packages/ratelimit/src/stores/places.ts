/** Where the memory store keeps the state of each rule. */
import type { CompiledRule } from '../compile.ts';
import { type Counter, createCounter, type Instant } from './counters/index.ts';
import { KeyTable } from './key-table.ts';

export interface Place {
  readonly table: KeyTable;
  readonly counter: Counter;
}

/** A counter for each rule, and a table of keys for each space of rules. */
export class Places {
  readonly #maxKeys: number;
  readonly #now: Instant;
  readonly #tables = new Map<string, KeyTable>();
  readonly #places = new Map<string, Place>();
  /** The rules of the last decisions by their order, and their places. */
  readonly #rules: CompiledRule[] = [];
  readonly #recent: Place[] = [];

  constructor(maxKeys: number, now: Instant) {
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  of(rule: CompiledRule): Place {
    return this.#places.get(rule.id) ?? this.#add(rule);
  }

  /** The same for the rule that comes as the nth in a decision: mostly it did before. */
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
    this.#rules.length = this.#recent.length = 0;
  }

  #remember(n: number, rule: CompiledRule): Place {
    this.#rules[n] = rule;
    return (this.#recent[n] = this.of(rule));
  }

  #add(rule: CompiledRule): Place {
    const place = { table: this.#table(rule.space), counter: createCounter(rule.strategy, this.#maxKeys) };
    place.table.counters.push(place.counter);
    this.#places.set(rule.id, place);
    return place;
  }

  #table(space: string): KeyTable {
    const table = this.#tables.get(space) ?? new KeyTable(this.#maxKeys, this.#now);
    this.#tables.set(space, table);
    return table;
  }
}
