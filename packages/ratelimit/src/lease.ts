/** A reservation's hold on its store: kept alive by heartbeats, ended once. */
import { type Clock, emit, type LimitCosts, type Timer } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { costIn } from './costs.ts';
import type { Reporter } from './reporter.ts';
import type { Ask, LimiterStore } from './stores/store.ts';

export interface LeaseOptions {
  readonly id: string;
  readonly asks: readonly Ask[];
  readonly store: LimiterStore;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Heartbeats end after so long, whatever the holder does. */
  readonly maxHoldMs: number;
  readonly reporter: Reporter;
  /** Told of the rules and keys of which something came back. */
  readonly onReleased: (asks: readonly Ask[]) => void;
}

/** What became of a reservation. */
export interface Settled {
  /** False where it was settled before, or its time was over; what was used beyond it is charged all the same. */
  readonly settled: boolean;
  /** Rules of which more was used than their limit, because more was used than reserved. They owe it: nothing is admitted until it is paid. */
  readonly overspent: readonly { readonly rule: string; readonly units: number }[];
}

const none: Settled['overspent'] = Object.freeze([]);
const nothing: Settled = { settled: false, overspent: none };

export class Lease {
  readonly id: string;
  /** What is reserved, by rule. */
  asks: readonly Ask[];
  readonly #options: LeaseOptions;
  readonly #endsMs: number;
  #ended = false;
  #lost = false;
  #counted = true;
  /** How long the store keeps it, as far as this process knows. */
  #untilMs: number;
  #beat: Timer | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.id = options.id;
    this.asks = options.asks;
    this.#endsMs = options.clock.monotonicMs() + options.maxHoldMs;
    this.#untilMs = options.clock.monotonicMs() + options.ttlMs;
    options.reporter.tally.leases(this.asks, 1);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Keeps the lease as long as its holder can be reached, since one that was thrown away can no longer settle. */
  keepFor(holder: object): void {
    const { clock, ttlMs } = this.#options;
    const reference = new WeakRef(holder);
    const beat = (): void => {
      if (this.#ended) return;
      if (reference.deref() === undefined || clock.monotonicMs() >= this.#endsMs) {
        this.#schedule(() => this.#tellLost(), ttlMs - ttlMs / 3);
        return;
      }
      this.#schedule(beat);
      void this.extend(ttlMs).then(
        (kept) => {
          if (kept || this.#ended) return;
          this.#beat?.cancel();
          this.#tellLost();
        },
        // A store that is away now may be back at the next beat.
        () => {},
      );
    };
    this.#schedule(beat);
  }

  async extend(ttlMs: number): Promise<boolean> {
    const { store, clock } = this.#options;
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

  /** Replaces what is reserved by what was used; what `used` doesn't name was used as reserved. Only the first call counts. */
  settle(used: LimitCosts | undefined): Promise<Settled> {
    return this.end((ask) => (ask.rule.unit === 'concurrency' ? undefined : costIn(ask.rule.unit, used)) ?? ask.cost);
  }

  async end(usedOf: (ask: Ask) => number): Promise<Settled> {
    if (this.#ended) return nothing;
    this.#ended = true;
    this.#beat?.cancel();
    this.#uncount();
    const { store, clock, onReleased, reporter } = this.#options;
    const used = this.asks.map((ask) => ({ rule: ask.rule, key: ask.key, cost: usedOf(ask) }));
    const settling = store.settle({ id: this.id, asks: used });
    const { settled, over } = 'then' in settling ? await settling : settling;
    if (settled) reporter.settled(this.asks, used, over);
    else {
      // Before its time is over it was settled by another handle, or reset.
      if (clock.monotonicMs() >= this.#untilMs) this.#tellLost();
      await this.#chargeExcess(used);
    }
    onReleased(used);
    if (!over.some((units) => units > 0)) return { settled, overspent: none };
    const overspent = used.flatMap(({ rule }, n) => ((over[n] ?? 0) > 0 ? [{ rule, units: over[n] ?? 0 }] : []));
    for (const { rule } of overspent) {
      if (rule.unit === 'cost') emit('budget.exhausted', { rule: rule.name, period: rule.period, handling: 'debt' });
    }
    return { settled, overspent: overspent.map(({ rule, units }) => ({ rule: rule.name, units })) };
  }

  #schedule(beat: () => void, afterMs = this.#options.ttlMs / 3): void {
    const { clock } = this.#options;
    this.#beat = wheelOf(clock).schedule(beat, clock.monotonicMs() + afterMs);
  }

  #uncount(): void {
    if (this.#counted) this.#options.reporter.tally.leases(this.asks, -1);
    this.#counted = false;
  }

  /** What was reserved stays charged when the time is over; what came on top is charged now. */
  async #chargeExcess(used: readonly Ask[]): Promise<void> {
    const excess = used.map((ask, n) => ({ ...ask, cost: Math.max(0, ask.cost - (this.asks[n]?.cost ?? 0)) }));
    const asks = excess.filter(({ cost }) => cost > 0);
    if (asks.length > 0) await this.#options.store.decide({ kind: 'consume', asks, force: true });
  }

  /** The time was over, and nobody had settled it. */
  #tellLost(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#uncount();
    for (const { rule, cost } of this.asks) {
      if (cost > 0) emit('lease.expired', { rule: rule.name, held: cost });
    }
    this.#options.onReleased(this.asks);
  }
}
