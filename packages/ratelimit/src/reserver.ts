/** Makes reservations: what an estimate leaves open is assumed, what a limit does not have left is handled, queues are waited for. */
import { randomFillSync } from 'node:crypto';
import { type Clock, type LimitCosts, type LimitSubject, operate, requireNumber } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { CompiledRule } from './compile.ts';
import type { Decision } from './decision.ts';
import { assumedUnits, clamp, fitAssumptions, fitted, withDefaults } from './estimate.ts';
import { hashApiKey } from './keys.ts';
import { Lease } from './lease.ts';
import type { ReserveOptions } from './limiter.ts';
import { type Reporter, tellExhausted } from './reporter.ts';
import { createReservation, denied, type Denied, type Reservation } from './reservation.ts';
import type { RuleBook } from './rule-book.ts';
import type { Ask, LimiterStore, ReserveRequest } from './stores/store.ts';

export interface ReserverOptions {
  readonly store: LimiterStore;
  readonly book: RuleBook;
  readonly clock: Clock;
  readonly defaults: LimitCosts | undefined;
  readonly reporter: Reporter;
  /** Decides, blocks included. */
  readonly decide: (request: ReserveRequest) => Reserved | Promise<Reserved>;
  readonly charge: (lease: Lease, asks: readonly Ask[]) => Promise<Decision>;
  readonly onReleased: (asks: readonly Ask[]) => void;
}

/** What became of a request; `repeated` where it was made before. */
export interface Reserved {
  readonly decision: Decision;
  readonly delayUs: number;
  readonly repeated: boolean;
}

export class Reserver {
  readonly #options: ReserverOptions;

  constructor(options: ReserverOptions) {
    this.#options = options;
  }

  async reserve(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    options: ReserveOptions,
  ): Promise<Reservation | Denied> {
    const { onDenied = 'reject', quiet = false } = options;
    const { reporter } = this.#options;
    const first = await this.#try(subject, estimate, undefined, options);
    let outcome = first;
    if (!first.allowed) {
      const handling = typeof onDenied === 'function' ? 'alternative' : onDenied;
      if (!quiet && handling !== 'reject') tellExhausted(first.decision, handling);
      if (onDenied === 'clamp') outcome = await this.#clamped(subject, estimate, first, options);
      else if (onDenied !== 'reject') {
        const other = await onDenied(first.decision);
        if (other !== undefined) {
          outcome = await this.#try(other.subject ?? subject, other.estimate ?? estimate, other.estimate, options);
        }
      }
    }
    if (!quiet || outcome.allowed) reporter.report(outcome.decision);
    return outcome;
  }

  async #clamped(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    { decision }: Denied,
    options: ReserveOptions,
  ): Promise<Reservation | Denied> {
    const whole = withDefaults(estimate, this.#options.defaults);
    const cut =
      clamp(whole, decision, options.outputTokenNanoUsd) ?? fitted(whole, decision, options.outputTokenNanoUsd);
    return cut === undefined ? denied(decision) : this.#try(subject, cut, cut, options);
  }

  async #try(
    subject: LimitSubject,
    estimate: LimitCosts | undefined,
    granted: LimitCosts | undefined,
    options: ReserveOptions,
  ): Promise<Reservation | Denied> {
    const { ttlMs = 30_000, maxHoldMs = 3_600_000, maxWaitMs = 0, idempotencyKey, signal } = options;
    const { store, book, clock, defaults, reporter, decide, charge, onReleased } = this.#options;
    signal?.throwIfAborted();
    requireNumber('ttlMs', ttlMs, 1, maxHoldMs);
    const whole = withDefaults(estimate, defaults);
    const asks = fitAssumptions(book.asksOf(subject, whole, leastReserved), estimate);
    const id = idempotencyKey === undefined ? newId() : hashApiKey(idempotencyKey);
    const times = {
      ttlUs: Math.ceil(ttlMs * 1_000),
      maxWaitUs: Math.floor(requireNumber('maxWaitMs', maxWaitMs, 0) * 1_000),
    };
    const deciding = decide({ kind: 'reserve', asks, id, ...times });
    const { decision, delayUs, repeated } = 'then' in deciding ? await deciding : deciding;
    if (!decision.allowed) return denied(decision);
    if (!repeated) reporter.reserved(asks);
    const lease = new Lease({ id, asks, store, clock, ttlMs, maxHoldMs, reporter, onReleased });
    const chargeMore = (more: LimitCosts): Promise<Decision> =>
      charge(
        lease,
        book.asksOf(subject, more, () => 0),
      );
    const reservation = createReservation({
      lease,
      decision,
      estimate: whole,
      granted,
      assumed: assumedUnits(asks, estimate),
      charge: chargeMore,
    });
    if (delayUs > 0 || signal?.aborted === true) await this.#depart(reservation, delayUs, signal);
    return reservation;
  }

  /** Waits for the departure from a queue. */
  async #depart(reservation: Reservation, delayUs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#options;
    try {
      if (delayUs > 0) {
        await operate('queue.wait', { queue: 'ratelimit' }, () => sleep(delayUs / 1_000, { signal, clock }));
      }
      signal?.throwIfAborted();
    } catch (error) {
      await reservation.cancel();
      throw error;
    }
  }
}

/** Of what a reservation names no number of, one unit: who reserves nothing would pass a limit that is used up. */
function leastReserved(): number {
  return 1;
}

const idBytes = 16;
// Drawn for many ids at once: each draw asks the operating system, which takes longer than all else of a reservation in memory.
const drawn = Buffer.allocUnsafe(256 * idBytes);
let next = drawn.length;

/** 128 random bits in base64url. */
function newId(): string {
  if (next === drawn.length) {
    randomFillSync(drawn);
    next = 0;
  }
  const from = next;
  next += idBytes;
  return drawn.toString('base64url', from, next);
}

/** One request and one slot, and nothing of what is not named. */
export function missingCost({ unit }: CompiledRule): number {
  return unit === 'requests' || unit === 'concurrency' ? 1 : 0;
}
