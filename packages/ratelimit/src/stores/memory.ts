/**
 * Limiter state in this process: lost on restart, shared with nobody, bounded by `maxKeys` for each space of keys.
 *
 * The reference of the store contract. It has no timers: what is over is taken out by the next call.
 */
import { type Clock, requireWhole, systemClock } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import { charge, delayLeftUs, type Held, partOf, Reservations } from './held.ts';
import { type KeyTable, overflowSlot } from './key-table.ts';
import { MemoryClock } from './memory-clock.ts';
import { MemoryRule } from './memory-rule.ts';
import type { OneRule } from './one-rule.ts';
import { type Place, Places } from './places.ts';
import { hold, settle, spend, type Step, tell } from './step.ts';
import type {
  Answer,
  Ask,
  DecideRequest,
  ExtendRequest,
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
  /** It answers with holdings. */
  readonly holds: true;
  /** Keys that have a slot, slots that went from an idle key to a new one, reservations. */
  counts(): { readonly keys: number; readonly reclaimed: number; readonly reservations: number };
  /** A copy of all state, to compare with another. */
  image(): unknown;
  /** The short way to a decision about one rule. */
  one(rule: CompiledRule): OneRule;
}

/** Makes a store that is empty. */
export function createMemoryStore({ maxKeys = 100_000, clock = systemClock }: MemoryStoreOptions = {}): MemoryStore {
  return new Memory(requireWhole('maxKeys', maxKeys, 1, 16_000_000), clock);
}

class Memory implements MemoryStore {
  readonly kind = 'memory';
  readonly holds = true;
  readonly #now: MemoryClock;
  readonly #places: Places;
  readonly #held = new Reservations();
  // Of what was looked at last.
  /** Whether an enforced rule says no. */
  #refused = false;
  /** Whether some key has no room of its own. */
  #source: Answer['source'] = 'store';

  constructor(maxKeys: number, clock: Clock) {
    this.#now = new MemoryClock(clock);
    const isHeld = (place: Place) => this.#held.all().some(({ parts }) => parts.some((part) => part.place === place));
    this.#places = new Places(maxKeys, this.#now, isHeld);
  }

  decide(request: DecideRequest): Answer {
    this.#arrive();
    switch (request.kind) {
      case 'peek': {
        const steps = this.#look(request.asks);
        return this.#answer(steps, !this.#refused);
      }
      case 'consume': {
        const steps = this.#look(request.asks);
        const allowed = request.force === true || !this.#refused;
        if (allowed) for (const step of steps) if (step.allowed || request.force === true) spend(step, step.cost);
        return this.#answer(steps, allowed);
      }
      case 'lower': {
        const steps = this.#look(request.asks);
        for (const step of steps) spend(step, Math.max(0, step.place.counter.remaining() - step.cost));
        return this.#answer(steps, true);
      }
      case 'reserve':
        return this.#reserve(request);
      default: {
        const held = this.#held.find(request, request.asks);
        const steps = this.#look(request.asks);
        if (held === undefined) return { ...this.#answer(steps, false), gone: true };
        const allowed = !this.#refused;
        if (allowed) for (const step of steps) if (step.allowed) charge(held, step);
        return this.#answer(steps, allowed);
      }
    }
  }

  one(rule: CompiledRule): OneRule {
    return new MemoryRule(rule, this.#places.of(rule), this.#now, this.#held, () => this.#expire());
  }

  settle(request: SettleRequest): Settlement {
    const { asks } = request;
    this.#arrive();
    const held = this.#held.find(request, asks);
    if (held === undefined) return { settled: false, over: asks.map(() => 0) };
    const over: number[] = [];
    for (const ask of asks) {
      const part = partOf(held, ask, over.length);
      over.push(part === undefined ? 0 : settle(part, ask.rule, ask.cost, this.#now));
    }
    this.#held.remove(held);
    return { settled: true, over };
  }

  extend(request: ExtendRequest): boolean {
    this.#arrive();
    const held = this.#held.find(request, request.asks);
    if (held === undefined) return false;
    held.expiresUs = this.#now.steadyUs + request.ttlUs;
    this.#held.moved(held);
    return true;
  }

  reset(asks: readonly Ask[]): void {
    this.#arrive();
    for (const ask of asks.filter(({ rule }) => rule.strategy.kind !== 'slots')) {
      const place = this.#places.known(ask.rule);
      const slot = place?.table.slotOf(ask.key);
      if (slot !== undefined) place?.counter.forget(slot);
      for (const held of this.#held.all()) {
        const part = partOf(held, ask);
        if (part !== undefined) held.parts = held.parts.filter((other) => other !== part);
      }
    }
  }

  snapshot(rules: readonly CompiledRule[], limit: number): readonly Holding[] {
    this.#arrive();
    const holdings: Holding[] = [];
    for (const rule of rules) {
      const place = this.#places.known(rule);
      if (place === undefined) continue;
      const { table, counter } = place;
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
    return { ...this.#places.counts(), reservations: this.#held.size };
  }

  image(): unknown {
    const reservations = this.#held.all().map(({ id, expiresUs, parts }) => ({
      id,
      expiresUs,
      parts: parts.map(({ rule, key, slot, held, spent, mark }) => ({
        rule: rule.id,
        key,
        overflowed: slot === overflowSlot,
        held,
        spent,
        mark,
      })),
    }));
    return { held: reservations, ...this.#places.image() };
  }

  close(): void {
    this.#places.clear();
    this.#held.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  /** Reads the clock and takes out what is over. */
  #arrive(): void {
    this.#now.tick();
    if (this.#held.size > 0) this.#expire();
  }

  #expire(): void {
    let held = this.#held.first;
    for (; held !== undefined && held.expiresUs <= this.#now.steadyUs; held = this.#held.first) {
      this.#held.remove(held);
      for (const part of held.parts) {
        const { rule } = part;
        if (rule.returnsOnExpiry || rule.strategy.kind === 'slots') settle(part, rule, 0, this.#now);
      }
    }
  }

  /** A verdict on each ask. Nothing is written. */
  #look(asks: readonly Ask[], maxWaitUs = 0): Step[] {
    this.#refused = false;
    this.#source = 'store';
    const steps: Step[] = [];
    for (const ask of asks) steps.push(this.#step(ask, steps.length, asks, maxWaitUs));
    return steps;
  }

  #step({ rule, key, cost }: Ask, n: number, asks: readonly Ask[], maxWaitUs: number): Step {
    const place = this.#places.at(n, rule);
    const { table, counter } = place;
    const known = table.slotOf(key);
    const slot = known ?? this.#slotForNew(asks, n, key, table);
    const start = known ?? table.start;
    const waitUs = counter.look(start, rule.strategy, cost, maxWaitUs, this.#now);
    this.#refused ||= waitUs !== 0 && rule.mode === 'enforce';
    if (start === overflowSlot) this.#source = 'overflow';
    return {
      rule,
      key,
      cost,
      allowed: waitUs === 0,
      remaining: 0,
      resetAfterUs: 0,
      retryAfterUs: waitUs === Number.POSITIVE_INFINITY ? undefined : waitUs,
      place,
      slot,
      held: cost,
      spent: 0,
      mark: 0,
    };
  }

  /** Rules of one table are asked about one key: what the first was given is given to all. */
  #slotForNew(asks: readonly Ask[], n: number, key: string, table: KeyTable): number {
    const isGiven = asks.some(({ rule }, before) => before < n && this.#places.at(before, rule).table === table);
    return isGiven ? table.given : table.slotForNew(key);
  }

  #reserve(request: ReserveRequest): Answer {
    const { asks, ttlUs, maxWaitUs, isOwn = false } = request;
    const known = isOwn ? undefined : this.#held.find(request, asks);
    const steps = this.#look(asks, maxWaitUs);
    if (known !== undefined) {
      return { ...this.#answer(steps, true), delayUs: delayLeftUs(known, asks, this.#now.steadyUs), repeated: true };
    }
    if (this.#refused) return this.#answer(steps, false);
    let parts = steps;
    let delayUs = 0;
    for (const step of steps) {
      if (!step.allowed) {
        parts = steps.filter((each) => each.allowed);
        tell(step);
        continue;
      }
      // Who would not wait was let in without.
      if (maxWaitUs > 0) delayUs = Math.max(delayUs, step.place.counter.delayUs(step.cost));
      hold(step);
    }
    // Nothing could be settled.
    if (parts.length === 0) return this.#told(steps, true);
    const id = isOwn ? undefined : request.id;
    const held = { id, expiresUs: this.#now.steadyUs + delayUs + ttlUs, heapIndex: -1, parts };
    this.#held.add(held);
    return this.#told(steps, true, delayUs, isOwn ? held : undefined);
  }

  #answer(findings: readonly Step[], allowed: boolean): Answer {
    findings.forEach(tell);
    return this.#told(findings, allowed);
  }

  #told(findings: readonly Step[], allowed: boolean, delayUs = 0, holding?: Held): Answer {
    const source = this.#source;
    const atMs = this.#now.wallUs / 1_000;
    return holding === undefined
      ? { allowed, findings, delayUs, source, atMs }
      : { allowed, findings, delayUs, source, atMs, holding };
  }
}
