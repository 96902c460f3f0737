import type { Clock } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { freshId } from '../fresh-id.ts';
import type { AnswerSource, Ask, Finding, LimiterStore } from '../stores/store.ts';
import { Demand } from './demand.ts';
import { Lead } from './lead.ts';
import { isGood, type Part, type Slice, type Taken } from './slice.ts';
import { type SlicedRule, spendableUs } from './sliceable.ts';
import { WaitingCalls } from './waiting-calls.ts';

export interface SliceLineOptions {
  readonly store: LimiterStore;
  /** Of the store, as observers see it. */
  readonly decide: LimiterStore['decide'];
  readonly key: string;
  /** Largest part of the burst that one slice takes. */
  readonly largestShare: number;
  readonly clock: Clock;
}

/** What this process has taken ahead of one rule and key: slices, the oldest first. */
export class SliceLine {
  readonly #options: SliceLineOptions;
  #sliced: SlicedRule;
  readonly #slices: Slice[] = [];
  readonly #demand = new Demand();
  #fetching: Promise<void> | undefined;
  #fetchingSinceMs = 0;
  readonly #waiting = new WaitingCalls<Taken>();
  readonly #lead = new Lead();
  /** When the last slice ends, or has ended. */
  #endMs = 0;
  /** Whether empty slices are dropped and another one is fetched when whoever is answered now has gone on. */
  #tidies = false;
  #spentMs = 0;
  /** The wall clock less the monotonic one: read with each slice, for a clock costs more than a decrement. */
  #wallAheadMs = 0;
  #closed = false;
  /** What the store said last. */
  #last: Finding | undefined;
  #source: AnswerSource = 'slice';

  constructor(sliced: SlicedRule, options: SliceLineOptions) {
    this.#sliced = sliced;
    this.#options = options;
  }

  /** What the rule has become; slices that are here were charged, and stay. */
  follow(sliced: SlicedRule): void {
    this.#sliced = sliced;
  }

  get source(): AnswerSource {
    return this.#source;
  }

  /** Wall-clock time of the last {@link spend}. */
  get spentUs(): number {
    return (this.#spentMs + this.#wallAheadMs) * 1_000;
  }

  get resetAfterUs(): number {
    return this.#last?.resetAfterUs ?? 0;
  }

  /** Units that may be spent from here now. */
  get left(): number {
    return this.#left(this.#options.clock.monotonicMs());
  }

  /**
   * {@link take} where one slice has enough, as it mostly has: one decrement. Returns the units that are left, of the rule as far as is known here; undefined
   * where none has, and then nothing has happened.
   */
  spend(cost: number): number | undefined {
    if (this.#source !== 'slice') return undefined;
    const nowMs = this.#options.clock.monotonicMs();
    for (const slice of this.#slices) {
      if (slice.left < cost || !isGood(slice, nowMs)) continue;
      this.#spentMs = nowMs;
      slice.left -= cost;
      this.#demand.spend(cost);
      const left = this.#left(nowMs);
      if (slice.left === 0 || this.#wantsMore(left, nowMs)) this.#tidyLater();
      return left + (this.#last?.remaining ?? 0);
    }
    return undefined;
  }

  /**
   * Spends from what is here; undefined where that does not suffice. Fetches ahead when half is gone, of the units or of the time.
   *
   * @param askedAtMs since when the caller waits, see {@link isGood}.
   */
  take(cost: number, askedAtMs?: number): Taken | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#left(nowMs, askedAtMs) < cost) return undefined;
    const taken: Part[] = [];
    let open = cost;
    for (const slice of this.#slices) {
      // Its timer may be late.
      if (!isGood(slice, nowMs, askedAtMs)) continue;
      const units = Math.min(open, slice.left);
      slice.left -= units;
      this.#demand.spend(units);
      open -= units;
      taken.push({ slice, units });
      if (open === 0) break;
    }
    this.#tidyLater();
    return taken;
  }

  /** Takes back what a decision took that came to nothing. What belongs to a slice that is no longer here stays charged. */
  putBack(taken: Taken): void {
    for (const { slice, units } of taken) slice.left += this.#slices.includes(slice) ? units : 0;
  }

  /**
   * Waits for a slice that has enough. Resolves with what was taken of it, or with `denied` where the store has not so much; with undefined where what is on
   * its way has a later deadline than the caller.
   *
   * @param askedAtMs since when the caller waits.
   */
  async obtain(cost: number, askedAtMs: number): Promise<Taken | 'denied' | undefined> {
    if (this.#fetching !== undefined && this.#fetchingSinceMs > askedAtMs) return undefined;
    const got = this.#waiting.add(cost, askedAtMs);
    this.#fetch(askedAtMs);
    return got;
  }

  finding({ rule, key, cost }: Ask, allowed: boolean): Finding {
    const { remaining = 0, resetAfterUs = 0, retryAfterUs } = this.#last ?? {};
    return {
      rule,
      key,
      cost,
      allowed,
      remaining: Math.min(rule.burst, remaining + this.left),
      resetAfterUs,
      retryAfterUs: allowed ? 0 : retryAfterUs,
    };
  }

  forget(): void {
    for (const { timer } of this.#slices.splice(0)) timer.cancel();
  }

  /** Gives back everything that was not spent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#fetching;
    await Promise.all(this.#slices.splice(0).map((slice) => this.#giveBack(slice)));
  }

  get #most(): number {
    return Math.max(1, Math.floor(this.#sliced.rule.burst * this.#options.largestShare));
  }

  #left(nowMs: number, askedAtMs?: number): number {
    let left = 0;
    for (const slice of this.#slices) left += isGood(slice, nowMs, askedAtMs) ? slice.left : 0;
    return left;
  }

  /** Whether half is gone, of the units or of the time, and no slice is on its way. */
  #wantsMore(left: number, nowMs: number): boolean {
    return (
      this.#fetching === undefined && (left < this.#demand.size / 2 || nowMs > (this.#slices.at(-1)?.renewMs ?? 0))
    );
  }

  /** Not at once: to call the store takes longer than to answer from a slice, and somebody is being answered. */
  #tidyLater(): void {
    if (this.#tidies) return;
    this.#tidies = true;
    setImmediate(() => {
      this.#tidies = false;
      if (this.#closed) return;
      this.#dropEmpty();
      const nowMs = this.#options.clock.monotonicMs();
      if (this.#wantsMore(this.#left(nowMs), nowMs)) this.#fetch(nowMs);
    });
  }

  #dropEmpty(): void {
    while (this.#slices[0]?.left === 0) {
      const slice = this.#slices.shift();
      // A bucket gives nothing back while it takes what was spent for what is held.
      if (slice?.rule.strategy.kind === 'bucket') void this.#settle(slice, slice.size);
      slice?.timer.cancel();
    }
  }

  #fetch(askedAtMs: number): void {
    if (this.#fetching !== undefined) return;
    this.#fetchingSinceMs = askedAtMs;
    this.#fetching = this.#fetchForAll().finally(() => {
      this.#fetching = undefined;
    });
  }

  /** Until nobody waits; one for those who come, where nobody does. What nobody waits for fails silently: the next one finds out. */
  async #fetchForAll(): Promise<void> {
    do {
      // Whoever asks in this turn of the event loop is heard before it is decided how much to take.
      await Promise.resolve();
      const { cost = 1, askedAtMs = this.#fetchingSinceMs } = this.#waiting.oldest ?? {};
      this.#fetchingSinceMs = askedAtMs;
      try {
        const found = await this.#reserveFor(cost, askedAtMs);
        if (!found.allowed) this.#waiting.deny(found.cost);
      } catch (error) {
        this.#waiting.fail(error);
      }
    } while (this.#waiting.size > 0);
  }

  async #reserveFor(cost: number, askedAtMs: number): Promise<Finding> {
    const sinceMs = this.#options.clock.monotonicMs();
    this.#dropEmpty();
    const dueMs = (1 - this.#lead.part) * (this.#sliced.validityUs / 1_000);
    const wanted = Math.max(this.#demand.sizeNext(sinceMs, dueMs, this.#most), this.#waiting.wanted);
    const first = await this.#reserve(Math.max(cost, Math.min(this.#sliced.rule.burst, wanted)), askedAtMs);
    let found = first;
    // Perhaps a smaller one; if not even the cost fits, the wait for it is what the caller needs to know. Others may be quicker, but not for ever.
    for (let round = 0; !found.allowed && round < 2; round++) {
      const smaller = Math.max(cost, found.remaining);
      if (smaller >= found.cost) return found;
      found = await this.#reserve(smaller, askedAtMs);
    }
    if (first.allowed) return found;
    // A limit is no queue: who waits on while others come would wait ever longer.
    if (found.allowed) this.#last = { ...found, retryAfterUs: first.retryAfterUs };
    this.#waiting.denyUntil(sinceMs);
    return found;
  }

  async #reserve(size: number, askedAtMs: number): Promise<Finding> {
    const { decide, key, clock } = this.#options;
    const sliced = this.#sliced;
    const { rule, validityUs } = sliced;
    const id = freshId();
    // The store charges later than this, so counted from here a slice ends in time.
    const sentMs = clock.monotonicMs();
    const asks = [{ rule, key, cost: size }];
    const ttlUs = 2 * validityUs + 1_000_000;
    const answer = await decide({ kind: 'reserve', id, asks, ttlUs, maxWaitUs: 0, askedAtMs });
    const [finding] = answer.findings;
    if (finding === undefined) throw new TypeError('A store answers with a finding for each ask.');
    this.#last = finding;
    // A denial that is remembered is the store's, and says nothing of the slices that are here.
    const { source } = answer;
    this.#source = source === 'store' || source === 'deny-cache' ? 'slice' : source;
    if (answer.allowed && finding.allowed) {
      this.#add({ id, size, rule, left: size, sentMs }, spendableUs(sliced, finding.resetAfterUs));
      this.#waiting.serve((wanted, sinceMs) => this.take(wanted, sinceMs));
    }
    return { ...finding, cost: size };
  }

  #add(taken: Pick<Slice, 'id' | 'size' | 'rule' | 'left' | 'sentMs'>, lastsUs: number): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#wallAheadMs = clock.now() - nowMs;
    const { sentMs } = taken;
    this.#lead.learn(sentMs < this.#endMs && this.#endMs < nowMs && this.#waiting.size > 0);
    const untilMs = sentMs + lastsUs / 1_000;
    this.#endMs = untilMs;
    const endsWithWindow = lastsUs < this.#sliced.validityUs;
    const renewMs = endsWithWindow ? Number.POSITIVE_INFINITY : untilMs - (this.#lead.part * lastsUs) / 1_000;
    const timer = wheelOf(clock).schedule(() => this.#expire(slice), untilMs);
    const slice = { ...taken, untilMs, renewMs, timer };
    this.#slices.push(slice);
  }

  #expire(slice: Slice): void {
    const index = this.#slices.indexOf(slice);
    if (index < 0) return;
    this.#slices.splice(index, 1);
    void this.#giveBack(slice);
  }

  async #giveBack(slice: Slice): Promise<void> {
    slice.timer.cancel();
    if (slice.left === 0) return;
    const used = slice.size - slice.left;
    slice.left = 0;
    await this.#settle(slice, used);
  }

  async #settle({ id, rule }: Slice, used: number): Promise<void> {
    const { store, key } = this.#options;
    try {
      await store.settle({ id, asks: [{ rule, key, cost: used }] });
    } catch {
      // It stays charged: the store is away, and never more than a slice is lost.
    }
  }
}
