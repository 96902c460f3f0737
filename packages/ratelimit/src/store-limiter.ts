import {
  type Clock,
  type LimitCosts,
  type LimitSubject,
  requireOption,
  requireWhole,
  systemClock,
} from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { Blocks } from './blocks.ts';
import type { CompiledRule } from './compile.ts';
import { conclude, concludeOne } from './conclusion.ts';
import { costIn } from './costs.ts';
import type { Decision } from './decision.ts';
import { errors } from './errors.ts';
import { FirstBeats } from './first-beats.ts';
import { scopeKey } from './keys.ts';
import type { Lease } from './lease.ts';
import type {
  Correction,
  Limit,
  RateLimiter,
  RateLimiterOptions,
  Released,
  ReserveOptions,
  SnapshotOptions,
  UsageRow,
} from './limiter.ts';
import { Releases } from './releases.ts';
import { Reporter } from './reporter.ts';
import { type Denied, type Reservation, runWithin, type Used } from './reservation.ts';
import { missingCost, Reserver } from './reserver.ts';
import { RuleBook, type RulePatch, type SoleRule } from './rule-book.ts';
import { asChanged, rowsOf } from './snapshot.ts';
import { createMemoryStore } from './stores/memory.ts';
import { observedDecide } from './stores/observed.ts';
import { type OneRule, oneOf } from './stores/one-rule.ts';
import type { Answer, Ask, DecideRequest, LimiterStore } from './stores/store.ts';

interface Sole extends SoleRule {
  readonly state: OneRule;
  /** What a call costs that says nothing of the rule's unit. */
  readonly missing: number;
}

/** A limiter over any store. */
export class StoreLimiter implements RateLimiter {
  readonly #store: LimiterStore;
  readonly #decide: LimiterStore['decide'];
  readonly #book: RuleBook;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #reserver: Reserver;
  readonly #blocks: Blocks;
  readonly #releases = new Releases();
  /** The short way, where there is but one rule and its store has one. */
  #sole: Sole | undefined;
  #closed = false;

  constructor({ rules, store, maxKeys, defaultEstimate, clock = systemClock }: RateLimiterOptions) {
    this.#book = new RuleBook(rules, (rule) => store?.requireRule?.(rule));
    this.#clock = clock;
    this.#blocks = new Blocks(clock);
    if (store === undefined) {
      const memory = createMemoryStore({ ...(maxKeys !== undefined && { maxKeys }), clock });
      this.#store = memory;
      this.#decide = (request) => memory.decide(request);
      this.#reporter = new Reporter(memory.kind, () => memory.counts());
    } else {
      this.#store = store;
      this.#decide = observedDecide(store);
      this.#reporter = new Reporter(store.kind, () => ({}));
    }
    const wheel = wheelOf(clock);
    this.#reserver = new Reserver({
      lessor: {
        store: this.#store,
        clock,
        wheel,
        firstBeats: new FirstBeats(clock, wheel),
        reporter: this.#reporter,
        charge: (lease, subject, more) => this.#chargeMore(lease, subject, more),
        onReleased: (asks) => this.#releases.came(asks),
      },
      book: this.#book,
      defaults: defaultEstimate,
      decide: (request) => this.#ask(request),
    });
    this.#sole = this.#findSole();
  }

  checkSync(subject: LimitSubject, costs?: LimitCosts): Decision {
    return this.#check(subject, costs, true);
  }

  /** Not an async function: with nothing to await, its promise costs a quarter more. */
  check(subject: LimitSubject, costs?: LimitCosts): Promise<Decision> {
    try {
      return Promise.resolve(this.#check(subject, costs, false));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async peek(subject: LimitSubject, costs?: LimitCosts): Promise<Decision> {
    return conclude(
      await this.#ask({ kind: 'peek', asks: this.#book.asksOf(subject, costs, missingCost) }),
      this.#clock,
    );
  }

  async charge(subject: LimitSubject, costs: LimitCosts): Promise<Decision> {
    const asks = withoutSlots(this.#book.asksOf(subject, costs, () => 0));
    return conclude(await this.#ask({ kind: 'consume', asks, force: true }), this.#clock);
  }

  reserve(subject: LimitSubject, estimate?: LimitCosts, options: ReserveOptions = {}): Promise<Reservation | Denied> {
    return Promise.resolve(this.reserveNow(subject, estimate, options));
  }

  /** {@link reserve} without a promise where the store lets nobody wait. Rejects all the same, and never throws. */
  reserveNow(
    subject: LimitSubject,
    estimate?: LimitCosts,
    options: ReserveOptions = {},
  ): Reservation | Denied | Promise<Reservation | Denied> {
    try {
      return this.#reserver.reserve(subject, estimate, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async run<T>(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    call: (reservation: Reservation) => Promise<Used<T>>,
    options?: ReserveOptions,
  ): Promise<T> {
    return runWithin(await this.reserve(subject, estimate, options), call);
  }

  set(rule: string, patch: RulePatch | undefined, subject?: LimitSubject): void {
    this.#book.change(rule, patch, subject);
    this.#sole = this.#findSole();
    // A subject's own rule may have another key than others of its name; who waits for any of them asks again.
    this.#releases.tell([{ rule }]);
  }

  async lower(subject: LimitSubject, corrections: readonly Correction[]): Promise<void> {
    corrections.forEach(requireCorrection);
    const asks: Ask[] = [];
    for (const { rule, remaining, blockMs = 0 } of corrections) {
      const ask = this.#book.askOf(rule, subject, remaining ?? 0);
      if (ask === undefined) continue;
      if (remaining !== undefined) asks.push(ask);
      if (blockMs > 0) this.#blocks.add(ask, blockMs);
    }
    if (asks.length > 0) await this.#ask({ kind: 'lower', asks });
  }

  async reset(subject: LimitSubject): Promise<void> {
    const asks = this.#book.asksOf(subject, undefined, () => 0).filter(({ rule }) => rule.scope !== 'global');
    this.#requireOpen();
    await this.#store.reset(asks);
    this.#releases.came(asks);
  }

  async snapshot({ limit = 10_000 }: SnapshotOptions = {}): Promise<readonly UsageRow[]> {
    this.#requireOpen();
    const holdings = await this.#store.snapshot(this.#book.all(), limit);
    return rowsOf(await asChanged(holdings, this.#book.changes(), this.#decide), this.#clock.now());
  }

  limitsOf(subject: LimitSubject, costs?: LimitCosts): readonly Limit[] {
    const asks = this.#book.asksOf(subject, costs, missingCost);
    return asks
      .filter(({ rule, cost }) => cost > 0 && rule.mode === 'enforce')
      .map(({ rule, key, cost }) => ({
        rule: rule.name,
        unit: rule.unit,
        key,
        cost,
        limit: rule.limit,
        burst: rule.burst,
      }));
  }

  onRelease(listener: (released: readonly Released[]) => void): Disposable {
    return this.#releases.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#sole = undefined;
    this.#reporter.close();
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(subject: LimitSubject, costs: LimitCosts | undefined, atOnce: true): Decision;
  #check(subject: LimitSubject, costs: LimitCosts | undefined, atOnce: false): Decision | Promise<Decision>;
  #check(subject: LimitSubject, costs: LimitCosts | undefined, atOnce: boolean): Decision | Promise<Decision> {
    const sole = this.#sole;
    if (sole !== undefined && this.#blocks.size === 0) {
      const { rule } = sole;
      const key = scopeKey(sole.scope, subject);
      if (key !== undefined) {
        const cost = costs === undefined ? sole.missing : costFor(rule, costs);
        const answer = sole.state.consume(key, cost);
        if (answer !== undefined) return this.#reporter.reportOne(rule, concludeOne(rule, key, cost, answer), answer);
      }
    }
    return atOnce ? this.#checkAtOnce(subject, costs) : this.#checkStore(subject, costs);
  }

  #checkAtOnce(subject: LimitSubject, costs: LimitCosts | undefined): Decision {
    const answer = this.#consume(subject, costs);
    if (answer instanceof Promise) {
      // It is nobody's any more.
      answer.catch(() => {});
      throw errors.NOT_SYNC({ store: this.#store.kind });
    }
    return this.#reporter.report(conclude(answer, this.#clock));
  }

  async #checkStore(subject: LimitSubject, costs: LimitCosts | undefined): Promise<Decision> {
    const answer = await this.#consume(subject, costs);
    return this.#reporter.report(conclude(answer, this.#clock));
  }

  #consume(subject: LimitSubject, costs: LimitCosts | undefined): Answer | Promise<Answer> {
    return this.#ask({ kind: 'consume', asks: this.#book.asksOf(subject, costs, missingCost) });
  }

  #findSole(): Sole | undefined {
    const { sole } = this.#book;
    const state = sole && !this.#closed ? oneOf(this.#store, sole.rule) : undefined;
    return sole && state && { ...sole, missing: missingCost(sole.rule), state };
  }

  #ask(request: DecideRequest): Answer | Promise<Answer> {
    this.#requireOpen();
    return this.#blocks.answerTo(request) ?? this.#decide(request);
  }

  async #chargeMore(lease: Lease, subject: LimitSubject, more: LimitCosts): Promise<Decision> {
    const asks = withoutSlots(this.#book.asksAgain(lease.asks, subject, more));
    const { id, holding } = lease;
    // Where nothing of it is counted there is nothing that a store could know of.
    const request: DecideRequest = asks.length === 0 ? { kind: 'peek', asks } : { kind: 'charge', asks, id, holding };
    const answer = lease.ended ? undefined : await this.#ask(request);
    if (answer === undefined || answer.gone === true) throw errors.RESERVATION_OVER({ id });
    if (answer.allowed) {
      lease.grow(asks, more);
      this.#reporter.tally.grown(asks);
    }
    return this.#reporter.report(conclude(answer, this.#clock));
  }

  #requireOpen(): void {
    if (this.#closed) throw errors.CLOSED();
  }
}

function requireCorrection({ rule, remaining = 0, blockMs = 0 }: Correction): void {
  requireWhole(`corrections["${rule}"].remaining`, remaining, 0);
  requireOption(`corrections["${rule}"].blockMs`, blockMs, 'a number of at least 0', (ms) => ms >= 0);
}

function withoutSlots(asks: readonly Ask[]): readonly Ask[] {
  return asks.filter(({ rule }) => rule.unit !== 'concurrency');
}

function costFor(rule: CompiledRule, costs: LimitCosts): number {
  return costIn(rule.unit, costs) ?? missingCost(rule);
}
