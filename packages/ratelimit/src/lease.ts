/** A reservation's hold on its store: kept alive by heartbeats, ended once. */
import { AsyncResource } from 'node:async_hooks';
import { type Clock, emit, type LimitCosts, type LimitSubject, requireNumber, type Timer } from '@sage-adk/core';
import type { TimerWheel } from '@sage-adk/core/deadline';
import { inputOf } from './costs.ts';
import type { Decision } from './decision.ts';
import { freshId } from './fresh-id.ts';
import { type Beating, type FirstBeats, type Line, withdraw } from './first-beats.ts';
import type { Reporter } from './reporter.ts';
import type { Ask, LimiterStore, Settlement } from './stores/store.ts';
import { excessOf, type Usage, usedOf } from './used.ts';

/** What the leases of a limiter share. */
export interface Lessor {
  readonly store: LimiterStore;
  readonly clock: Clock;
  /** On that clock. */
  readonly wheel: TimerWheel;
  readonly firstBeats: FirstBeats;
  readonly reporter: Reporter;
  /** Takes more for a lease. */
  readonly charge: (lease: Lease, subject: LimitSubject, more: LimitCosts) => Promise<Decision>;
  /** Told of the rules and keys of which something came back. */
  readonly onReleased: (asks: readonly Ask[]) => void;
}

/** What a lease is made for. */
export interface LeaseOrder {
  /** What is reserved, by rule. */
  readonly asks: readonly Ask[];
  /** Undefined where the store asks for none. */
  readonly id: string | undefined;
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

/** Nobody asks what a lease was triggered by, and to find out takes longer than all else of an async resource. */
const noTrigger = 0;

/** An async resource, so that it beats in the context of the call that it was made for. */
export class Lease extends AsyncResource implements Beating {
  /** By which the store knows it, in place of its id. */
  readonly holding: object | undefined;
  asks: readonly Ask[];
  readonly lessor: Lessor;
  readonly sinceMs: number;
  readonly #ttlMs: number;
  readonly #maxHoldMs: number;
  /** Who can settle. */
  #holder: object | undefined;
  #watched: WeakRef<object> | undefined;
  #ended = false;
  #abandoned = false;
  #lost = false;
  #counted = true;
  /** How long the store keeps it since then, as far as this process knows. */
  #keptMs: number;
  /** Input tokens that were charged meanwhile. */
  inputCharged = 0;
  /** A charge that is not answered yet. */
  #charging: Promise<unknown> | undefined;
  #timer: Timer | undefined;
  #id: string | undefined;
  line: Line | undefined;
  previous: Beating | undefined;
  next: Beating | undefined;

  /** The lease is counted already. */
  constructor(lessor: Lessor, { id, asks, ttlMs, maxHoldMs }: LeaseOrder, holding: object | undefined) {
    super('sage-adk:lease', noTrigger);
    this.#id = id;
    this.holding = holding;
    this.asks = asks;
    this.lessor = lessor;
    this.sinceMs = lessor.clock.monotonicMs();
    this.#ttlMs = ttlMs;
    this.#maxHoldMs = maxHoldMs;
    this.#keptMs = ttlMs;
  }

  get id(): string {
    return (this.#id ??= freshId());
  }

  get untilMs(): number {
    return this.sinceMs + this.#keptMs;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Keeps the lease as long as its holder can be reached, since one that was thrown away can no longer settle. That is looked at from halfway to the first
   * heartbeat on: a weak reference costs a sixth of a reservation, and most are over by then.
   */
  keepFor(holder: object): void {
    this.#holder = holder;
    this.lessor.firstBeats.add(this, this.#ttlMs / 6);
  }

  async extend(ttlMs: number): Promise<boolean> {
    const { store, clock } = this.lessor;
    requireNumber('ttlMs', ttlMs, 1, longestMs);
    if (this.#ended || this.asks.length === 0) return !this.#ended;
    const kept = await store.extend({
      id: this.#id ?? '',
      holding: this.holding,
      asks: this.asks,
      ttlUs: Math.ceil(ttlMs * 1_000),
    });
    if (kept) this.#keptMs = clock.monotonicMs() - this.sinceMs + ttlMs;
    return kept;
  }

  /** Takes more. Who settles in the meantime waits for it. */
  charge(subject: LimitSubject, more: LimitCosts): Promise<Decision> {
    const charging = this.lessor.charge(this, subject, more);
    this.#charging = Promise.allSettled([this.#charging, charging]).then(() => undefined);
    return charging;
  }

  /** More was charged to the reservation: `asks`, in the numbers of its rules. */
  grow(asks: readonly Ask[], more: LimitCosts): void {
    this.inputCharged += inputOf(more);
    this.asks = this.asks.map((ask) => {
      const added = asks.find(({ rule }) => rule.id === ask.rule.id);
      return added === undefined ? ask : { ...ask, cost: ask.cost + added.cost };
    });
  }

  /** Replaces what is reserved by what was used; what `used` doesn't name was used as reserved. Only the first of this and {@link cancel} counts. */
  settle(used: Usage | undefined): Promise<Settled> {
    return this.#end(used, true);
  }

  cancel(): Promise<Settled> {
    return this.#end(undefined, false);
  }

  /** Ends this lease alone, and leaves what is reserved to others of its id. */
  leave(): void {
    this.#stop();
    this.#uncount();
  }

  #stop(): void {
    this.#ended = true;
    this.#holder = undefined;
    withdraw(this);
    this.#timer?.cancel();
  }

  /** Not an async function: a store in this process lets nobody wait. */
  #end(costs: Usage | undefined, isUsed: boolean): Promise<Settled> {
    if (this.#ended) return Promise.resolve({ settled: false, overspent: [] });
    this.#stop();
    const charging = this.#charging;
    return charging === undefined ? this.#settle(costs, isUsed) : charging.then(() => this.#settle(costs, isUsed));
  }

  #settle(costs: Usage | undefined, isUsed: boolean): Promise<Settled> {
    let used: readonly Ask[];
    try {
      used = usedOf(this.asks, costs, isUsed);
    } catch (error) {
      // What is no number was used as reserved: the slot comes back, and the first word counts all the same.
      const refuse = (): Promise<never> => Promise.reject(error);
      return this.#settle(undefined, true).then(refuse, refuse);
    }
    try {
      const settling = this.lessor.store.settle({
        id: this.#id ?? '',
        holding: this.holding,
        asks: used,
        reserved: this,
      });
      if (!('then' in settling)) return this.#conclude(used, settling);
      this.#uncount();
      return settling.then((late) => this.#conclude(used, late));
    } catch (error) {
      this.#uncount();
      return Promise.reject(error);
    }
  }

  #conclude(used: readonly Ask[], settlement: Settlement): Promise<Settled> {
    // Where no rule applies there is nothing that a store could know of.
    if (!settlement.settled && used.length > 0) return this.#concludeLate(used, settlement);
    const { reporter, onReleased } = this.lessor;
    const owed = reporter.settled(this.asks, used, settlement.over, this.#counted ? 1 : 0);
    this.#counted = false;
    onReleased(used);
    return owed === 0 ? evenly : Promise.resolve({ settled: true, overspent: tellOwed(used, settlement.over) });
  }

  async #concludeLate(used: readonly Ask[], { over }: Settlement): Promise<Settled> {
    const { onReleased } = this.lessor;
    this.#lose();
    await this.#chargeExcess(used);
    onReleased(used);
    return { settled: false, overspent: tellOwed(used, over) };
  }

  /** What was reserved stays charged when the time is over; what came on top is charged now. */
  async #chargeExcess(used: readonly Ask[]): Promise<void> {
    const asks = excessOf(used, this.asks);
    if (asks.length > 0) await this.lessor.store.decide({ kind: 'consume', asks, force: true });
  }

  beat(): void {
    this.runInAsyncScope(() => this.#beat());
  }

  #beat(): void {
    const { clock } = this.lessor;
    const nowMs = clock.monotonicMs();
    const endsMs = this.sinceMs + this.#keptMs;
    if (this.#holder !== undefined) {
      this.#watched = new WeakRef(this.#holder);
      this.#holder = undefined;
      this.#beatAt(this.sinceMs + this.#ttlMs / 3);
    } else if (this.#abandoned) {
      if (nowMs < endsMs) this.#beatAt(endsMs);
      else this.#tellLost();
    } else if (this.#watched?.deref() === undefined || nowMs - this.sinceMs >= this.#maxHoldMs) {
      this.#abandoned = true;
      this.#beatAt(Math.max(endsMs, nowMs + this.#ttlMs - this.#ttlMs / 3));
    } else {
      this.#beatAt(nowMs + this.#ttlMs / 3);
      // Its holder may have had it extended for longer.
      this.extend(Math.max(this.#ttlMs, endsMs - nowMs)).then(
        (kept) => {
          if (!kept && !this.#ended) this.#lose();
        },
        // A store that is away now may be back at the next beat.
        () => {},
      );
    }
  }

  #beatAt(atMs: number): void {
    this.#timer = this.lessor.wheel.schedule(() => this.#beat(), atMs);
  }

  /** The store has it no longer: its time is over, or before that it was settled by another handle, or reset. */
  #lose(): void {
    this.#timer?.cancel();
    this.#uncount();
    if (this.lessor.clock.monotonicMs() - this.sinceMs >= this.#keptMs) this.#tellLost();
  }

  #uncount(): void {
    if (this.#counted) this.lessor.reporter.tally.ended(this.asks);
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
    this.lessor.onReleased(this.asks);
  }
}

// In microseconds still a whole number.
const longestMs = Number.MAX_SAFE_INTEGER / 1_000;

/** Tells what is owed of which rules. */
function tellOwed(used: readonly Ask[], over: readonly number[]): Settled['overspent'] {
  const owed: { readonly rule: string; readonly units: number }[] = [];
  let place = 0;
  for (const { rule } of used) {
    const units = over[place++] ?? 0;
    if (units === 0) continue;
    if (rule.unit === 'cost') emit('budget.exhausted', { rule: rule.name, period: rule.period, handling: 'debt' });
    owed.push({ rule: rule.name, units });
  }
  return owed;
}

/** As nearly all are settled: at once, and nothing is owed. One promise tells it to all. */
const evenly: Promise<Settled> = Promise.resolve(Object.freeze({ settled: true, overspent: Object.freeze([]) }));
