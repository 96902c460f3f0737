/** Makes reservations: what an estimate leaves open is assumed, what a limit does not have left is handled, queues are waited for. */
import { type LimitCosts, type LimitSubject, operate, requireNumber, requireOption } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { CompiledRule } from './compile.ts';
import { conclude } from './conclusion.ts';
import { requireCosts } from './costs.ts';
import type { Decision } from './decision.ts';
import { clamp, fitAssumptions, fitted, withDefaults } from './estimate.ts';
import { freshId } from './fresh-id.ts';
import { hashApiKey, scopeKey } from './keys.ts';
import { Lease, type Lessor } from './lease.ts';
import type { Alternative, ReserveOptions } from './limiter.ts';
import { tellExhausted } from './reporter.ts';
import { denied, LeasedReservation, type Order, type Outcome, type Refusal } from './reservation.ts';
import type { RuleBook } from './rule-book.ts';
import type { Answer, ReserveRequest } from './stores/store.ts';

export interface ReserverOptions {
  /** Of the reservations. */
  readonly lessor: Lessor;
  readonly book: RuleBook;
  readonly defaults: LimitCosts | undefined;
  /** Decides, blocks included. */
  readonly decide: (request: ReserveRequest) => Answer | Promise<Answer>;
}

/** None of its functions that a granted reservation goes through is async: a store in this process lets nobody wait. */
export class Reserver {
  readonly #options: ReserverOptions;
  /** Whether the store answers with holdings, and asks for no ids. */
  readonly #holds: boolean;

  constructor(options: ReserverOptions) {
    if (options.defaults !== undefined) requireCosts('defaultEstimate', options.defaults);
    this.#options = options;
    this.#holds = 'holds' in options.lessor.store;
  }

  reserve(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    options: ReserveOptions,
  ): Outcome | Promise<Outcome> {
    const outcome = this.#try(subject, estimate, undefined, options);
    return 'then' in outcome
      ? outcome.then((late) => this.#handle(late, subject, estimate, options))
      : this.#handle(outcome, subject, estimate, options);
  }

  #handle(
    outcome: Outcome,
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    options: ReserveOptions,
  ): Outcome | Promise<Outcome> {
    if (!outcome.allowed && options.onDenied !== undefined && options.onDenied !== 'reject') {
      return this.#giveWay(outcome, subject, estimate, options, options.onDenied);
    }
    return this.#report(outcome, options);
  }

  /** Tries with less, or with something else. */
  async #giveWay(
    first: Refusal,
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    options: ReserveOptions,
    onDenied: Exclude<ReserveOptions['onDenied'], 'reject' | undefined>,
  ): Promise<Outcome> {
    const { decision } = first;
    if (options.quiet !== true) tellExhausted(decision, onDenied === 'clamp' ? onDenied : 'alternative');
    const other = onDenied === 'clamp' ? this.#clamped(estimate, decision, options) : await onDenied(decision);
    if (other === undefined) return this.#report(first, options);
    const granted = other.estimate;
    const second = await this.#try(other.subject ?? subject, granted ?? estimate, granted, options, subject);
    return this.#report(second, options);
  }

  #clamped(
    estimate: LimitCosts | undefined,
    decision: Decision,
    { outputTokenNanoUsd: price }: ReserveOptions,
  ): Alternative | undefined {
    const whole = withDefaults(estimate, this.#options.defaults);
    const cut = clamp(whole, decision, price) ?? fitted(whole, decision, price);
    return cut && { estimate: cut };
  }

  #report(outcome: Outcome, { quiet = false }: ReserveOptions): Outcome {
    const { reporter } = this.#options.lessor;
    if (!outcome.allowed) {
      if (!quiet) reporter.report(outcome.decision);
    } else if (!reporter.count(outcome.answer)) {
      reporter.tell(outcome.decision);
    }
    return outcome;
  }

  /** @param caller who asks, whatever the subject that is tried. */
  #try(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    granted: LimitCosts | undefined,
    options: ReserveOptions,
    caller = subject,
  ): Outcome | Promise<Outcome> {
    const { ttlMs = 30_000, maxHoldMs = 3_600_000, maxWaitMs = 0, idempotencyKey, signal } = options;
    const { book, defaults, decide } = this.#options;
    signal?.throwIfAborted();
    requireOption('maxHoldMs', maxHoldMs, 'a number of at least 1', isDuration);
    requireNumber('ttlMs', ttlMs, 1, maxHoldMs);
    requireNumber('maxWaitMs', maxWaitMs, 0);
    const whole = withDefaults(estimate, defaults);
    const asked = book.asksOf(subject, whole, leastReserved);
    const asks = defaults === undefined ? asked : fitAssumptions(asked, estimate);
    const isOwn = idempotencyKey === undefined && this.#holds;
    const id = idempotencyKey !== undefined ? idOf(caller, idempotencyKey) : isOwn ? undefined : freshId();
    const order = { subject, estimate, whole, granted, asks, id, ttlMs, maxHoldMs };
    const maxWaitUs = Math.floor(maxWaitMs * 1_000);
    const ttlUs = Math.ceil(ttlMs * 1_000);
    const isNamed = idempotencyKey !== undefined;
    const answer = decide({ kind: 'reserve', asks, id: id ?? '', isNamed, isOwn, ttlUs, maxWaitUs });
    if ('then' in answer) return answer.then((late) => this.#take(order, late, signal, signal?.aborted));
    return this.#take(order, answer, signal);
  }

  #take(order: Order, answer: Answer, signal?: AbortSignal, isAborted = false): Outcome | Promise<Outcome> {
    const { lessor } = this.#options;
    const { delayUs } = answer;
    if (!answer.allowed) return denied(conclude(answer, lessor.clock));
    lessor.reporter.reserved(order.asks, answer.repeated === true);
    const lease = new Lease(lessor, order, answer.holding);
    const timed = answer.atMs === undefined ? { ...answer, atMs: lessor.clock.now() } : answer;
    const reservation = new LeasedReservation(lease, order, timed);
    return delayUs > 0 || isAborted ? this.#depart(reservation, lease, delayUs, signal) : reservation;
  }

  /** Waits for the departure from a queue. */
  async #depart(
    reservation: LeasedReservation,
    lease: Lease,
    delayUs: number,
    signal: AbortSignal | undefined,
  ): Promise<LeasedReservation> {
    const { clock } = this.#options.lessor;
    try {
      if (delayUs > 0) {
        await operate('queue.wait', { queue: 'ratelimit' }, () => sleep(delayUs / 1_000, { signal, clock }));
      }
      signal?.throwIfAborted();
      return reservation;
    } catch (error) {
      // Who made it first waits on, or has gone already.
      if (reservation.answer.repeated === true) lease.leave();
      else await lease.cancel();
      throw error;
    }
  }
}

function isDuration(ms: number): boolean {
  return ms >= 1;
}

/** A key is its tenant's and user's own: another's call of that key is another call. */
function idOf(caller: LimitSubject, idempotencyKey: string): string {
  return hashApiKey(JSON.stringify([caller.tenant, scopeKey('user', caller), idempotencyKey]));
}

/** Of what a reservation names no number of, one unit: who reserves nothing would pass a limit that is used up. */
function leastReserved(): number {
  return 1;
}

/** One request and one slot, and nothing of what is not named. */
export function missingCost({ unit }: CompiledRule): number {
  return unit === 'requests' || unit === 'concurrency' ? 1 : 0;
}
