/**
 * Limiter state in this process: lost on restart, shared with nobody, bounded by `maxKeys` for each space of keys.
 *
 * The reference of the store contract. It has no timers: what is over is taken out by the next call.
 */
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import { type Counter, createCounter } from './counters.ts';
import { Expiries } from './expiries.ts';
import { KeyTable, overflowSlot } from './key-table.ts';
import { MemoryClock } from './memory-clock.ts';
import type {
  Answer,
  Ask,
  DecideRequest,
  ExtendRequest,
  Finding,
  Holding,
  ReserveRequest,
  Settlement,
  SettleRequest,
  SyncLimiterStore,
} from './store.ts';

export interface MemoryStoreOptions {
  /** Most keys of one space, from 1 to 16,000,000; further ones share one state. @default 100_000 */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

export interface MemoryStore extends SyncLimiterStore {
  readonly kind: 'memory';
  /** Keys that have a slot, how often a slot went from an idle key to a new one, and reservations that are not over. */
  counts(): { readonly keys: number; readonly reclaimed: number; readonly reservations: number };
  /** A copy of all state, to compare with another. */
  image(): unknown;
}

/** Makes an empty store. */
export function createMemoryStore({ maxKeys = 100_000, clock = systemClock }: MemoryStoreOptions = {}): MemoryStore {
  return new Memory(requireWhole('maxKeys', maxKeys, 1, 16_000_000), clock);
}

/** Where the state of a rule is. */
interface Place {
  readonly table: KeyTable;
  readonly counter: Counter;
}

/** One ask in the middle of a decision. */
interface Step extends Place {
  readonly ask: Ask;
  readonly slot: number;
  readonly waitUs: number;
}

interface Held {
  readonly id: string;
  expiresUs: number;
  heapIndex: number;
  parts: Part[];
}

/** What a reservation holds of one rule and key. */
interface Part {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly overflowed: boolean;
  held: number;
  spent: number;
  mark: number;
}

class Memory implements MemoryStore {
  readonly kind = 'memory';
  readonly #maxKeys: number;
  readonly #now: MemoryClock;
  readonly #tables = new Map<string, KeyTable>();
  readonly #places = new Map<string, Place>();
  readonly #held = new Map<string, Held>();
  readonly #expiries = new Expiries<Held>();

  constructor(maxKeys: number, clock: Clock) {
    this.#maxKeys = maxKeys;
    this.#now = new MemoryClock(clock);
  }

  decide(request: DecideRequest): Answer {
    this.#arrive();
    switch (request.kind) {
      case 'peek': {
        const steps = this.#look(request.asks);
        return toAnswer(steps, !steps.some(isRefusal));
      }
      case 'consume': {
        const steps = this.#look(request.asks);
        const allowed = request.force === true || !steps.some(isRefusal);
        if (allowed) for (const step of steps) if (step.waitUs === 0 || request.force === true) spend(step);
        return toAnswer(steps, allowed);
      }
      case 'lower': {
        const steps = this.#look(request.asks);
        for (const step of steps) spend(step, Math.max(0, step.counter.remaining() - step.ask.cost));
        return toAnswer(steps, true);
      }
      case 'reserve':
        return this.#reserve(request);
      case 'charge': {
        const held = this.#find(request.id, request.asks);
        const steps = this.#look(request.asks);
        if (held === undefined) return { ...toAnswer(steps, false), gone: true };
        const allowed = !steps.some(isRefusal);
        if (allowed) for (const step of steps) if (step.waitUs === 0) addTo(held, step);
        return toAnswer(steps, allowed);
      }
    }
  }

  settle({ id, asks }: SettleRequest): Settlement {
    this.#arrive();
    const held = this.#find(id, asks);
    const over = asks.map((ask) => {
      const part = held && partOf(held, ask);
      return part === undefined ? 0 : this.#settlePart(ask.rule, part, ask.cost);
    });
    if (held !== undefined) this.#drop(held);
    return { settled: held !== undefined, over };
  }

  extend({ id, asks, ttlUs }: ExtendRequest): boolean {
    this.#arrive();
    const held = this.#find(id, asks);
    if (held === undefined) return false;
    held.expiresUs = this.#now.steadyUs + ttlUs;
    this.#expiries.moved(held);
    return true;
  }

  reset(asks: readonly Ask[]): void {
    this.#arrive();
    for (const ask of asks.filter(({ rule }) => rule.strategy.kind !== 'slots')) {
      const { table, counter } = this.#place(ask.rule);
      const slot = table.slotOf(ask.key);
      if (slot !== undefined) counter.forget(slot);
      for (const held of this.#held.values()) {
        const part = partOf(held, ask);
        if (part !== undefined) held.parts = held.parts.filter((other) => other !== part);
      }
    }
  }

  snapshot(rules: readonly CompiledRule[], limit: number): readonly Holding[] {
    this.#arrive();
    const holdings: Holding[] = [];
    for (const rule of rules) {
      const { table, counter } = this.#place(rule);
      for (const [key, slot] of table.entries()) {
        if (holdings.length >= limit) return holdings;
        counter.load(slot, rule.strategy, this.#now);
        const resetAfterUs = counter.resetUs();
        if (resetAfterUs > 0) holdings.push({ rule, key, remaining: counter.remaining(), resetAfterUs });
      }
    }
    return holdings;
  }

  counts() {
    const tables = [...this.#tables.values()];
    return {
      keys: tables.reduce((sum, { size }) => sum + size, 0),
      reclaimed: tables.reduce((sum, { reclaimed }) => sum + reclaimed, 0),
      reservations: this.#held.size,
    };
  }

  image(): unknown {
    const held = [...this.#held.values()].map(({ id, expiresUs, parts }) => ({
      id,
      expiresUs,
      parts: parts.map(({ rule, ...part }) => ({ rule: rule.id, ...part })),
    }));
    return {
      held,
      keys: [...this.#tables].map(([space, table]) => [space, [...table.keys()]]),
      states: [...this.#places].map(([id, { counter }]) => [id, counter.image()]),
    };
  }

  close(): void {
    this.#tables.clear();
    this.#places.clear();
    this.#held.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  /** Reads the clock and takes out what is over. */
  #arrive(): void {
    this.#now.tick();
    for (
      let held = this.#expiries.first;
      held !== undefined && held.expiresUs <= this.#now.steadyUs;
      held = this.#expiries.first
    ) {
      this.#drop(held);
      for (const part of held.parts) {
        const { rule } = part;
        if (rule.returnsOnExpiry || rule.strategy.kind === 'slots') this.#settlePart(rule, part, 0);
      }
    }
  }

  /** A verdict on each ask. Nothing is written. */
  #look(asks: readonly Ask[], maxWaitUs = 0): readonly Step[] {
    const slots = new Map<KeyTable, number>();
    return asks.map((ask) => {
      const { rule, key, cost } = ask;
      const { table, counter } = this.#place(rule);
      // Before any state is loaded: to find a slot, counters look at the state of others.
      const slot = slots.get(table) ?? table.find(key);
      slots.set(table, slot);
      counter.load(slot, rule.strategy, this.#now);
      return { ask, table, counter, slot, waitUs: counter.waitUs(cost, maxWaitUs) };
    });
  }

  #reserve({ id, asks, ttlUs, maxWaitUs }: ReserveRequest): Answer {
    const repeated = this.#find(id, asks) !== undefined;
    const steps = this.#look(asks, maxWaitUs);
    if (repeated) return { ...toAnswer(steps, true), repeated };
    if (steps.some(isRefusal)) return toAnswer(steps, false);
    const charged = steps.filter(({ waitUs }) => waitUs === 0);
    const delayUs = Math.max(0, ...charged.map(({ counter, ask }) => counter.delayUs(ask.cost)));
    const expiresUs = this.#now.steadyUs + delayUs + ttlUs;
    const held = { id, expiresUs, heapIndex: -1, parts: charged.map(hold) };
    this.#held.set(id, held);
    this.#expiries.add(held);
    return { ...toAnswer(steps, true), delayUs };
  }

  #find(id: string, asks: readonly Ask[]): Held | undefined {
    const held = this.#held.get(id);
    return held !== undefined && asks.some((ask) => partOf(held, ask) !== undefined) ? held : undefined;
  }

  /** Returns the units that the rule is beyond its limit. */
  #settlePart(rule: CompiledRule, part: Part, cost: number): number {
    const { table, counter } = this.#place(rule);
    const used = Math.max(0, cost - part.spent);
    const known = part.overflowed ? overflowSlot : table.slotOf(part.key);
    // Where the key was forgotten, nothing of it counts any more.
    if (known === undefined && used <= part.held) return 0;
    const slot = known ?? table.find(part.key);
    counter.load(slot, rule.strategy, this.#now);
    if (known === undefined) counter.spend(used - part.held);
    else counter.settle(part.held, part.mark, used);
    table.claim(slot, part.key);
    counter.save(slot);
    return counter.over();
  }

  #drop(held: Held): void {
    this.#held.delete(held.id);
    this.#expiries.remove(held);
  }

  #place(rule: CompiledRule): Place {
    const known = this.#places.get(rule.id);
    if (known !== undefined) return known;
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

function partOf(held: Held, { rule, key }: Ask): Part | undefined {
  return held.parts.find((part) => part.key === key && part.rule.id === rule.id);
}

function isRefusal({ ask, waitUs }: Step): boolean {
  return waitUs !== 0 && ask.rule.mode === 'enforce';
}

function spend({ ask, table, counter, slot }: Step, cost = ask.cost): void {
  if (cost === 0) return;
  table.claim(slot, ask.key);
  counter.spend(cost);
  counter.save(slot);
}

function hold({ ask, table, counter, slot }: Step): Part {
  const { rule, key, cost } = ask;
  table.claim(slot, key);
  const mark = counter.hold(cost);
  counter.save(slot);
  return { rule, key, overflowed: slot === overflowSlot, held: cost, spent: 0, mark };
}

/** Adds a charge to what a reservation holds. */
function addTo(held: Held, step: Step): void {
  const part = partOf(held, step.ask);
  const added = hold(step);
  if (part === undefined) {
    held.parts.push(added);
  } else {
    const same = part.mark === added.mark;
    part.spent += same ? 0 : part.held;
    part.held = same ? part.held + added.held : added.held;
    part.mark = added.mark;
  }
}

function toAnswer(steps: readonly Step[], allowed: boolean): Answer {
  const source = steps.some(({ slot }) => slot === overflowSlot) ? 'overflow' : 'store';
  return { allowed, findings: steps.map(toFinding), delayUs: 0, source };
}

function toFinding({ ask, counter, waitUs }: Step): Finding {
  return {
    rule: ask.rule,
    key: ask.key,
    cost: ask.cost,
    allowed: waitUs === 0,
    remaining: counter.remaining(),
    resetAfterUs: counter.resetUs(),
    retryAfterUs: waitUs === Number.POSITIVE_INFINITY ? undefined : waitUs,
  };
}
