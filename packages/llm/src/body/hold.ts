import { systemClock, type Timer } from '@sage-adk/core';
import type { Caller } from '../caller.ts';
import type { Guarded } from './progress.ts';

/** Something that goes on until it ends, and can be ended from outside. */
export interface Held extends Guarded {
  /** Nobody will come for the rest of it. */
  drop(): void;
}

/**
 * What a signal and the collector hold of something that goes on. They keep what they were given until the next full collection, even where it was taken
 * back: a whole exchange with both its bodies would outlive all small collections until then, and copying it costs more than all else that is done around a call.
 */
export class Hold {
  #held: Held | undefined;
  #signal: AbortSignal | undefined;
  #caller: Caller | undefined;
  /** Not watched yet. */
  #consumer: object | undefined;
  #isWatched = false;
  #previous: Hold | undefined;
  #next: Hold | undefined;

  constructor(held: Held) {
    this.#held = held;
  }

  abortsWith(signal: AbortSignal, caller?: Caller): void {
    this.#signal = signal;
    this.#caller = caller;
    caller?.hold();
    signal.addEventListener('abort', this, { once: true });
  }

  /** The signal aborted. */
  handleEvent(): void {
    this.#held?.abort(this.#signal?.reason);
  }

  /** Soon after this is collected, nobody will come: the connection is released, and whoever waits for the end hears of it. */
  dropsWith(consumer: object): void {
    if (this.#consumer !== undefined) this.#leave();
    this.#consumer = consumer;
    this.#next = fresh.latest;
    if (this.#next !== undefined) this.#next.#previous = this;
    fresh.latest = this;
    fresh.timer ??= systemClock.setTimer(Hold.watchAll, freshMs);
  }

  /** Has the collector watch all of them. */
  static watchAll(this: void): void {
    fresh.timer = undefined;
    while (fresh.latest !== undefined) fresh.latest.#watch();
  }

  #watch(): void {
    if (this.#consumer !== undefined) unread.register(this.#consumer, this, this);
    this.#isWatched = true;
    this.#leave();
  }

  dropped(): void {
    this.#held?.drop();
  }

  letGo(): void {
    this.#signal?.removeEventListener('abort', this);
    this.#caller?.leave();
    this.#signal = this.#caller = this.#held = undefined;
    if (this.#isWatched) unread.unregister(this);
    if (this.#consumer !== undefined) this.#leave();
  }

  #leave(): void {
    this.#consumer = undefined;
    if (this.#previous === undefined) fresh.latest = this.#next;
    else this.#previous.#next = this.#next;
    if (this.#next !== undefined) this.#next.#previous = this.#previous;
    this.#previous = this.#next = undefined;
  }
}

const unread = new FinalizationRegistry<Hold>((hold) => hold.dropped());

/** Only what is still unread after a while is watched by the collector: to tell it costs more than to read most bodies. */
const freshMs = 100;
const fresh: { latest: Hold | undefined; timer: Timer | undefined } = { latest: undefined, timer: undefined };
