import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import type { AnswerSource, Ask, Finding, LimiterStore } from '../stores/store.ts';
import type { SlicedRule } from './sliceable.ts';

export interface SliceLineOptions {
  readonly store: LimiterStore;
  /** Of the store, as observers see it. */
  readonly decide: LimiterStore['decide'];
  readonly sliced: SlicedRule;
  readonly key: string;
  /** Largest part of the burst that one slice takes. */
  readonly largestShare: number;
  readonly clock: Clock;
}

/** Quota that was taken ahead. */
interface Slice {
  readonly id: string;
  readonly size: number;
  readonly untilMs: number;
  readonly timer: Timer;
  left: number;
}

interface Part {
  readonly slice: Slice;
  readonly units: number;
}

/** What a decision took, from which slices. */
export type Taken = readonly Part[];

/** What this process has taken ahead of one rule and key: slices, the oldest first. */
export class SliceLine {
  readonly #options: SliceLineOptions;
  readonly #most: number;
  readonly #slices: Slice[] = [];
  /** What the next slice takes: twice as much when one was used up in time, half where most of it was not. */
  #size = 1;
  #fetching: Promise<Finding> | undefined;
  /** What the store said last. */
  #last: Finding | undefined;
  #source: AnswerSource = 'slice';

  constructor(options: SliceLineOptions) {
    this.#options = options;
    this.#most = Math.max(1, Math.floor(options.sliced.rule.burst * options.largestShare));
  }

  get source(): AnswerSource {
    return this.#source;
  }

  /** Spends from what is here; undefined where that does not suffice. Fetches ahead when half is gone. */
  take(cost: number): Taken | undefined {
    const left = this.#left();
    if (left < cost) return undefined;
    const taken: Part[] = [];
    let open = cost;
    for (const slice of this.#slices) {
      const units = Math.min(open, slice.left);
      slice.left -= units;
      open -= units;
      taken.push({ slice, units });
      if (open === 0) break;
    }
    this.#dropEmpty();
    // What nobody waits for fails silently: the next one finds out.
    if (left - cost < this.#size / 2) this.fetch(1).catch(() => {});
    return taken;
  }

  /** Takes back what a decision took that came to nothing. What belongs to a slice that is no longer here stays charged. */
  putBack(taken: Taken): void {
    for (const { slice, units } of taken) slice.left += this.#slices.includes(slice) ? units : 0;
  }

  /** Takes a slice of at least `cost` from the store, one at a time. */
  fetch(cost: number): Promise<Finding> {
    this.#fetching ??= this.#fetch(cost).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  finding({ rule, key, cost }: Ask, allowed: boolean): Finding {
    const { remaining = 0, resetAfterUs = 0, retryAfterUs } = this.#last ?? {};
    return {
      rule,
      key,
      cost,
      allowed,
      remaining: Math.min(rule.burst, remaining + this.#left()),
      resetAfterUs,
      retryAfterUs: allowed ? 0 : retryAfterUs,
    };
  }

  /** Gives back everything that was not spent. */
  async close(): Promise<void> {
    await this.#fetching?.catch(() => {});
    await Promise.all(this.#slices.splice(0).map((slice) => this.#giveBack(slice)));
  }

  #left(): number {
    const nowMs = this.#options.clock.monotonicMs();
    let left = 0;
    for (const slice of this.#slices) left += nowMs < slice.untilMs ? slice.left : 0;
    return left;
  }

  #dropEmpty(): void {
    while (this.#slices[0]?.left === 0) {
      this.#slices.shift()?.timer.cancel();
      this.#size = Math.min(this.#most, this.#size * 2);
    }
  }

  async #fetch(cost: number): Promise<Finding> {
    const first = await this.#reserve(Math.max(cost, this.#size));
    if (first.allowed) return first;
    // Perhaps a smaller one; if not even the cost fits, the wait for it is what the caller needs to know.
    const second = first.remaining >= cost ? first.remaining : cost;
    return second < first.cost ? this.#reserve(second) : first;
  }

  async #reserve(size: number): Promise<Finding> {
    const { decide, sliced, key, clock } = this.#options;
    const { rule, validityUs } = sliced;
    const id = randomBytes(16).toString('base64url');
    // The store charges later than this, so counted from here a slice ends in time.
    const sentMs = clock.monotonicMs();
    const ttlUs = 2 * validityUs + 1_000_000;
    const asks = [{ rule, key, cost: size }];
    const { allowed, findings, source } = await decide({ kind: 'reserve', id, asks, ttlUs, maxWaitUs: 0 });
    const [finding] = findings;
    if (finding === undefined) throw new TypeError('A store answers with a finding for each ask.');
    this.#last = finding;
    this.#source = source === 'store' ? 'slice' : source;
    if (allowed && finding.allowed) this.#add(id, size, sentMs, finding);
    return { ...finding, cost: size };
  }

  #add(id: string, size: number, sentMs: number, { resetAfterUs }: Finding): void {
    const { sliced, clock } = this.#options;
    const isWindow = sliced.rule.strategy.kind === 'window';
    const untilMs = sentMs + Math.min(sliced.validityUs, isWindow ? resetAfterUs : Number.POSITIVE_INFINITY) / 1_000;
    const timer = wheelOf(clock).schedule(() => this.#expire(slice), untilMs);
    const slice: Slice = { id, size, untilMs, timer, left: size };
    this.#slices.push(slice);
  }

  #expire(slice: Slice): void {
    const index = this.#slices.indexOf(slice);
    if (index < 0) return;
    this.#slices.splice(index, 1);
    if (slice.left > slice.size / 2) this.#size = Math.max(1, Math.floor(this.#size / 2));
    void this.#giveBack(slice);
  }

  async #giveBack(slice: Slice): Promise<void> {
    const { store, sliced, key } = this.#options;
    slice.timer.cancel();
    if (slice.left === 0) return;
    const used = slice.size - slice.left;
    slice.left = 0;
    try {
      await store.settle({ id: slice.id, asks: [{ rule: sliced.rule, key, cost: used }] });
    } catch {
      // It stays charged: the store is away, and never more than a slice is lost.
    }
  }
}
