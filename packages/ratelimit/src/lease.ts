/** A reservation's hold on its store: kept alive by heartbeats, ended once. */
import { AsyncResource } from 'node:async_hooks';
import { type Clock, emit, type LimitCosts, type LimitSubject } from '@sage-adk/core';
import { costIn } from './costs.ts';
import type { Decision } from './decision.ts';
import type { Beating, Heartbeats } from './heartbeats.ts';
import type { Reporter } from './reporter.ts';
import type { Ask, LimiterStore, Settlement } from './stores/store.ts';

/** What the leases of a limiter share. */
export interface Lessor {
  readonly store: LimiterStore;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly heartbeats: Heartbeats;
  /** Takes more for a lease. */
  readonly charge: (lease: Lease, subject: LimitSubject, more: LimitCosts) => Promise<Decision>;
  /** Told of the rules and keys of which something came back. */
  readonly onReleased: (asks: readonly Ask[]) => void;
}

/** What a lease is made for. */
export interface LeaseOrder {
  /** What is reserved, by rule. */
  readonly asks: readonly Ask[];
  readonly id: string;
  readonly ttlMs: number;
  /** Heartbeats end after so long, whatever the holder does. */
  readonly maxHoldMs: number;
}

/** What became of a reservation. */
export interface Settled {
  /** False where it was settled before, or its time was over; what was used beyond it is charged all the same. */
  readonly settled: boolean;
  /** Rules of which more was used than their limit, because more was used than reserved. They owe it: nothing is admitted until it is paid. */
  readonly overspent: readonly { readonly rule: string; readonly units: number }[];
}

const none: Settled['overspent'] = Object.freeze([]);
const inFull: Settled = Object.freeze({ settled: true, overspent: none });
const nothing: Settled = Object.freeze({ settled: false, overspent: none });

/** An async resource, so that it beats in the context in which it was made. */
export class Lease extends AsyncResource implements Beating {
  readonly id: string;
  asks: readonly Ask[];
  /** When it beats next. */
  expiresUs: number;
  heapIndex = -1;
  readonly #lessor: Lessor;
  readonly #ttlMs: number;
  readonly #endsMs: number;
  #holder: WeakRef<object> | undefined;
  #ended = false;
  #abandoned = false;
  #lost = false;
  #counted = true;
  /** How long the store keeps it, as far as this process knows. */
  #untilMs: number;

  /** The lease is counted already. */
  constructor(lessor: Lessor, { id, asks, ttlMs, maxHoldMs }: LeaseOrder) {
    super('sage-adk:lease');
    const nowMs = lessor.clock.monotonicMs();
    this.id = id;
    this.asks = asks;
    this.#lessor = lessor;
    this.#ttlMs = ttlMs;
    this.#endsMs = nowMs + maxHoldMs;
    this.#untilMs = nowMs + ttlMs;
    this.expiresUs = (nowMs + ttlMs / 3) * 1_000;
  }

  get lessor(): Lessor {
    return this.#lessor;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Keeps the lease as long as its holder can be reached, since one that was thrown away can no longer settle. */
  keepFor(holder: object): void {
    this.#holder = new WeakRef(holder);
    this.#lessor.heartbeats.add(this);
  }

  beat(): void {
    this.runInAsyncScope(() => this.#beat());
  }

  async extend(ttlMs: number): Promise<boolean> {
    const { store, clock } = this.#lessor;
    if (this.#ended) return false;
    const kept = await store.extend({ id: this.id, asks: this.asks, ttlUs: Math.ceil(ttlMs * 1_000) });
    if (kept) this.#untilMs = clock.monotonicMs() + ttlMs;
    return kept;
  }

  /** More was charged to the reservation. */
  grow(more: readonly Ask[]): void {
    this.asks = this.asks.map((ask) => {
      const added = more.find(({ rule }) => rule.id === ask.rule.id);
      return added === undefined ? ask : { ...ask, cost: ask.cost + added.cost };
    });
  }

  /** Replaces what is reserved by what was used; what `used` doesn't name was used as reserved. Only the first of this and {@link cancel} counts. */
  settle(used: LimitCosts | undefined): Promise<Settled> {
    return this.#end((ask) => (ask.rule.unit === 'concurrency' ? undefined : costIn(ask.rule.unit, used)) ?? ask.cost);
  }

  cancel(): Promise<Settled> {
    return this.#end(() => 0);
  }

  /** Not an async function: a store in this process lets nobody wait. */
  #end(usedOf: (ask: Ask) => number): Promise<Settled> {
    if (this.#ended) return Promise.resolve(nothing);
    this.#ended = true;
    const { store, heartbeats } = this.#lessor;
    heartbeats.remove(this);
    this.#uncount();
    try {
      const used: Ask[] = [];
      for (const ask of this.asks) used.push({ rule: ask.rule, key: ask.key, cost: usedOf(ask) });
      const settling = store.settle({ id: this.id, asks: used });
      return 'then' in settling
        ? settling.then((settlement) => this.#settled(used, settlement))
        : Promise.resolve(this.#settled(used, settling));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #settled(used: readonly Ask[], { settled, over }: Settlement): Settled | Promise<Settled> {
    if (!settled) return this.#settleLate(used, over);
    this.#lessor.reporter.settled(this.asks, used, over);
    this.#lessor.onReleased(used);
    return outcomeOf(settled, used, over);
  }

  /** What was reserved stays charged when the time is over; what came on top is charged now. */
  async #settleLate(used: readonly Ask[], over: readonly number[]): Promise<Settled> {
    const { store, clock, onReleased } = this.#lessor;
    // Before its time is over it was settled by another handle, or reset.
    if (clock.monotonicMs() >= this.#untilMs) this.#tellLost();
    const excess = used.map((ask, n) => ({ ...ask, cost: Math.max(0, ask.cost - (this.asks[n]?.cost ?? 0)) }));
    const asks = excess.filter(({ cost }) => cost > 0);
    if (asks.length > 0) await store.decide({ kind: 'consume', asks, force: true });
    onReleased(used);
    return outcomeOf(false, used, over);
  }

  #beat(): void {
    const { clock } = this.#lessor;
    const nowMs = clock.monotonicMs();
    if (this.#abandoned) {
      this.#tellLost();
    } else if (this.#holder?.deref() === undefined || nowMs >= this.#endsMs) {
      this.#abandoned = true;
      this.#beatAt(nowMs + this.#ttlMs - this.#ttlMs / 3);
    } else {
      this.#beatAt(nowMs + this.#ttlMs / 3);
      this.extend(this.#ttlMs).then(
        (kept) => {
          if (!kept && !this.#ended) this.#lose();
        },
        // A store that is away now may be back at the next beat.
        () => {},
      );
    }
  }

  #beatAt(atMs: number): void {
    this.expiresUs = atMs * 1_000;
    this.#lessor.heartbeats.add(this);
  }

  #lose(): void {
    this.#lessor.heartbeats.remove(this);
    this.#tellLost();
  }

  #uncount(): void {
    if (this.#counted) this.#lessor.reporter.tally.ended(this.asks);
    this.#counted = false;
  }

  /** The time was over, and nobody had settled it. */
  #tellLost(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#uncount();
    for (const { rule, cost } of this.asks) {
      if (cost > 0) emit('lease.expired', { rule: rule.name, held: cost });
    }
    this.#lessor.onReleased(this.asks);
  }
}

/** Tells what is owed of which rules. */
function outcomeOf(settled: boolean, used: readonly Ask[], over: readonly number[]): Settled {
  let overspent: { rule: string; units: number }[] | undefined;
  let place = 0;
  for (const { rule } of used) {
    const units = over[place++] ?? 0;
    if (units === 0) continue;
    (overspent ??= []).push({ rule: rule.name, units });
    if (rule.unit === 'cost') emit('budget.exhausted', { rule: rule.name, period: rule.period, handling: 'debt' });
  }
  if (overspent !== undefined) return { settled, overspent };
  return settled ? inFull : nothing;
}
