/**
 * The first beats of leases. Most leases are over before, so to set and to cancel one costs a place in a list and nothing else.
 *
 * Leases of one length beat first in the order in which they were made: each length is a list with one alarm. When it rings it goes on to the lease that is the
 * first by then. With none left the list is gone; on the machine's own clock not before the alarm rings, since taking it back and setting the next one would cost a
 * lone call more than all else here.
 */
import { AsyncResource } from 'node:async_hooks';
import { type Clock, systemClock, type Timer } from '@sage-adk/core';
import type { TimerWheel } from '@sage-adk/core/deadline';

/** A member of one list at most. */
export interface Beating {
  /** When it was made, on the monotonic clock. */
  readonly sinceMs: number;
  line: Line | undefined;
  previous: Beating | undefined;
  next: Beating | undefined;
  /** Called at its time or up to a tick later, and no longer a member. Does not throw. */
  beat(): void;
}

export class FirstBeats {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #leavesAlarms: boolean;
  /** By the time to the first beat. */
  readonly #lines = new Map<number, Line>();
  /** Of the last one that came: mostly the next has the same length. */
  #latest: Line | undefined;

  constructor(clock: Clock, wheel: TimerWheel, leavesAlarms = clock === systemClock) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#leavesAlarms = leavesAlarms;
  }

  /** Lets one that was made just now beat so much later. */
  add(beating: Beating, afterMs: number): void {
    (this.#latest?.afterMs === afterMs ? this.#latest : this.#lineOf(afterMs)).add(beating);
  }

  #lineOf(afterMs: number): Line {
    let line = this.#lines.get(afterMs);
    if (line === undefined) {
      line = new Line(afterMs, this.#clock, this.#wheel, this.#leavesAlarms, () => this.#forget(afterMs));
      this.#lines.set(afterMs, line);
    }
    return (this.#latest = line);
  }

  #forget(afterMs: number): void {
    this.#lines.delete(afterMs);
    this.#latest = undefined;
  }
}

/** Takes one back that may have no line any more. */
export function withdraw(beating: Beating): void {
  beating.line?.remove(beating);
}

export class Line {
  readonly afterMs: number;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #leavesAlarm: boolean;
  readonly #onEmpty: () => void;
  /** The alarm is set here, or it would hold on to the context of whichever call happened to set it. */
  readonly #outside = new AsyncResource('sage-adk:leases');
  readonly #wake = (): void => this.#visit();
  #first: Beating | undefined;
  #last: Beating | undefined;
  #alarm: Timer | undefined;

  constructor(afterMs: number, clock: Clock, wheel: TimerWheel, leavesAlarm: boolean, onEmpty: () => void) {
    this.afterMs = afterMs;
    this.#clock = clock;
    this.#wheel = wheel;
    this.#leavesAlarm = leavesAlarm;
    this.#onEmpty = onEmpty;
  }

  add(beating: Beating): void {
    const last = this.#last;
    beating.line = this;
    beating.previous = last;
    if (last === undefined) this.#first = beating;
    else last.next = beating;
    this.#last = beating;
    if (this.#alarm === undefined) this.#set(beating);
  }

  remove(beating: Beating): void {
    const { previous, next } = beating;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    beating.line = beating.previous = beating.next = undefined;
    if (this.#first === undefined && !this.#leavesAlarm) this.#end();
  }

  #set(first: Beating): void {
    const atMs = first.sinceMs + this.afterMs;
    this.#alarm = this.#outside.runInAsyncScope(() => this.#wheel.schedule(this.#wake, atMs));
  }

  #end(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#onEmpty();
  }

  #visit(): void {
    this.#alarm = undefined;
    const nowMs = this.#clock.monotonicMs();
    let first = this.#first;
    for (; first !== undefined && first.sinceMs + this.afterMs <= nowMs; first = this.#first) {
      this.remove(first);
      first.beat();
    }
    if (first !== undefined) this.#set(first);
    else if (this.#leavesAlarm) this.#end();
  }
}
