/** Heartbeats of all leases of a limiter on one timer, so that a lease that is over before its first beat has set none. */
import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { Expiries, type Expiring } from './stores/expiries.ts';

/** What beats, next at `expiresUs` of the clock's monotonic time. */
export interface Beating extends Expiring {
  beat(): void;
}

/** The timer looks so often whether anything is left that beats: it isn't taken back with the last one, since mostly another follows. */
const mostUs = 1_000_000;

/** The timer is set here, or it would hold on to the context of whichever call happened to set it. */
const outside = new AsyncResource('sage-adk:heartbeats');

export class Heartbeats {
  readonly #clock: Clock;
  readonly #due = new Expiries<Beating>();
  /** When the timer goes off. */
  #alarmUs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets it beat once, at its time. */
  add(beating: Beating): void {
    this.#due.add(beating);
    if (beating.expiresUs < this.#alarmUs) this.#setAlarm(beating.expiresUs);
  }

  remove(beating: Beating): void {
    if (beating.heapIndex >= 0) this.#due.remove(beating);
  }

  #setAlarm(neededUs: number): void {
    const atUs = Math.min(neededUs, this.#clock.monotonicMs() * 1_000 + mostUs);
    if (atUs >= this.#alarmUs) return;
    this.#alarmUs = atUs;
    outside.runInAsyncScope(() => wheelOf(this.#clock).schedule(() => this.#wake(atUs), atUs / 1_000));
  }

  #wake(alarmUs: number): void {
    // An earlier alarm was set after this one, and has seen to it.
    if (alarmUs !== this.#alarmUs) return;
    this.#alarmUs = Number.POSITIVE_INFINITY;
    const nowUs = this.#clock.monotonicMs() * 1_000;
    try {
      for (let next = this.#due.first; next !== undefined && next.expiresUs <= nowUs; next = this.#due.first) {
        this.#due.remove(next);
        next.beat();
      }
    } finally {
      if (this.#due.first !== undefined) this.#setAlarm(this.#due.first.expiresUs);
    }
  }
}
