/**
 * Many deadlines on one timer: a hashed timing wheel.
 *
 * Time is cut into ticks; a callback waits in the slot of its tick, so setting and cancelling cost O(1). One timer of the clock waits for the next
 * slot that holds anything. An empty wheel sets none; one that is set on the machine's own clock when the wheel gets empty is left to ring into nothing, since
 * taking it back and setting the next one would cost a lone call more than all else here.
 *
 * @see G. Varghese, A. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 6
 */
import { AsyncResource } from 'node:async_hooks';
import { type Clock, isMachineTime, systemClock, type Timer } from '../clock.ts';
import { requireOption, requireWhole } from '../errors/options.ts';
import { deadlineErrors } from './errors.ts';

export interface TimerWheelOptions {
  /** Length of a tick in whole milliseconds: how late a callback may be, apart from the timer's own delay. @default 10 */
  readonly tickMs?: number;
  readonly clock?: Clock;
}

export interface TimerWheel extends AsyncDisposable {
  /**
   * Calls `callback` once at `atMs` of the clock's monotonic time or up to a tick later, never earlier, in the async context of this call.
   * Callbacks of one round run in the order of their times. What one throws becomes an uncaught exception, as with any timer. Infinity is never.
   */
  schedule(callback: () => void, atMs: number): Timer;
  /** Callbacks that wait. */
  readonly size: number;
  /** Cancels everything; `schedule` then throws `SAGE_DEADLINE_WHEEL_CLOSED`. */
  close(): void;
}

/** Makes an empty wheel. Like all timers of a {@link Clock}, it doesn't keep the process alive. */
export function createTimerWheel({ tickMs = 10, clock = systemClock }: TimerWheelOptions = {}): TimerWheel {
  requireWhole('tickMs', tickMs, 1, 60_000);
  return new HashedWheel(tickMs, clock);
}

/** The wheel that deadlines on this clock share, with ticks of 10 ms. */
export function wheelOf(clock: Clock): TimerWheel {
  let wheel = wheels.get(clock);
  if (wheel === undefined) wheels.set(clock, (wheel = createTimerWheel({ clock })));
  return wheel;
}

const wheels = new WeakMap<Clock, TimerWheel>();

/** A power of two, so that a mask gives the slot: five seconds a revolution, for entries that mostly wait less than that. */
const slotCount = 512;

/** The clock's timer is set here, or it would hold on to the context of whichever request happened to set it. */
const outside = new AsyncResource('sage-adk:timer-wheel');

class HashedWheel implements TimerWheel {
  readonly #tickMs: number;
  readonly #clock: Clock;
  readonly #slots: (WheelTimer | undefined)[] = Array.from({ length: slotCount }, () => undefined);
  /** The last tick whose slot was visited. */
  #tick = 0;
  #size = 0;
  #alarm: Timer | undefined;
  #alarmTick = Number.POSITIVE_INFINITY;
  #closed = false;
  readonly #wake = (): void => this.#visit();
  readonly #cancel = (timer: WheelTimer): void => this.#remove(timer);

  constructor(tickMs: number, clock: Clock) {
    this.#tickMs = tickMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  schedule(callback: () => void, atMs: number): Timer {
    if (this.#closed) throw deadlineErrors.WHEEL_CLOSED();
    if (Number.isNaN(atMs)) requireOption('atMs', atMs, 'a number', () => false);
    if (atMs === Number.POSITIVE_INFINITY) return never;
    if (this.#size === 0) this.#start();
    const tick = Math.max(Math.ceil(atMs / this.#tickMs), this.#tick + 1);
    const timer = new WheelTimer(callback, atMs, tick, this.#cancel);
    this.#insert(timer);
    if (tick < this.#alarmTick) this.#setAlarm(tick);
    return timer;
  }

  close(): void {
    this.#closed = true;
    for (let slot = 0; slot < slotCount; slot++) {
      for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) timer.cancel();
    }
    this.#silence();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  #start(): void {
    if (this.#alarm !== undefined) {
      if (isMachineTime(this.#clock)) return;
      this.#silence();
    }
    this.#tick = Math.floor(this.#clock.monotonicMs() / this.#tickMs);
  }

  #silence(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#alarmTick = Number.POSITIVE_INFINITY;
  }

  /** Calls what is due. A timer of the clock may come early; then nothing is, and the alarm is set again. */
  #visit(): void {
    this.#alarm = undefined;
    this.#alarmTick = Number.POSITIVE_INFINITY;
    const nowTick = Math.floor(this.#clock.monotonicMs() / this.#tickMs);
    const due = this.#takeDue(nowTick);
    this.#tick = Math.max(this.#tick, nowTick);
    for (const timer of due) {
      try {
        timer.fire();
      } catch (error) {
        // Thrown where nothing is above it, so that the other callbacks run and no error is lost.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (this.#size > 0) this.#setAlarm(this.#nextTick());
  }

  #takeDue(nowTick: number): readonly WheelTimer[] {
    const due: WheelTimer[] = [];
    const lastTick = Math.min(nowTick, this.#tick + slotCount);
    for (let tick = this.#tick + 1; tick <= lastTick; tick++) {
      let timer = this.#slots[tick & (slotCount - 1)];
      while (timer !== undefined) {
        const { next } = timer;
        if (timer.tick <= nowTick) {
          this.#unlink(timer);
          due.push(timer);
        }
        timer = next;
      }
    }
    return due.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
  }

  /** The next tick whose slot holds anything; what it holds may be of a later revolution. */
  #nextTick(): number {
    let tick = this.#tick + 1;
    while (this.#slots[tick & (slotCount - 1)] === undefined) tick++;
    return tick;
  }

  #setAlarm(tick: number): void {
    if (tick >= this.#alarmTick) return;
    this.#alarm?.cancel();
    this.#alarmTick = tick;
    const delayMs = Math.max(0, tick * this.#tickMs - this.#clock.monotonicMs());
    this.#alarm = outside.runInAsyncScope(() => this.#clock.setTimer(this.#wake, delayMs));
  }

  #insert(timer: WheelTimer): void {
    const slot = timer.tick & (slotCount - 1);
    const first = this.#slots[slot];
    timer.next = first;
    if (first !== undefined) first.previous = timer;
    this.#slots[slot] = timer;
    timer.linked = true;
    this.#size++;
  }

  #unlink(timer: WheelTimer): void {
    const { previous, next } = timer;
    if (previous === undefined) this.#slots[timer.tick & (slotCount - 1)] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.linked = false;
    this.#size--;
  }

  #remove(timer: WheelTimer): void {
    if (!timer.linked) return;
    this.#unlink(timer);
    if (this.#size === 0 && !isMachineTime(this.#clock)) this.#silence();
  }
}

let sequence = 0;

/** Nobody asks what a callback was triggered by, and to find out takes longer than all else of an async resource. */
const noTrigger = 0;

/** One callback; an async resource, so that it runs in the context in which it was set and not in that of the timer's. */
class WheelTimer extends AsyncResource implements Timer {
  readonly atMs: number;
  readonly tick: number;
  readonly sequence: number = sequence++;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;
  linked = false;
  #callback: (() => void) | undefined;
  readonly #remove: (timer: WheelTimer) => void;

  constructor(callback: () => void, atMs: number, tick: number, remove: (timer: WheelTimer) => void) {
    super('sage-adk:deadline', noTrigger);
    this.atMs = atMs;
    this.tick = tick;
    this.#callback = callback;
    this.#remove = remove;
  }

  cancel(): void {
    this.#callback = undefined;
    this.#remove(this);
  }

  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback !== undefined) this.runInAsyncScope(callback);
  }
}

const never: Timer = { cancel() {} };
