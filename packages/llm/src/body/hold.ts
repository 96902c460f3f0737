import { systemClock, type Timer } from '@sage-adk/core';

/** Something that goes on until it ends, and can be ended from outside. */
export interface Held {
  abort(error: unknown): void;
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
  /** Not watched yet. */
  #consumer: object | undefined;
  /** Among those that are not. */
  #at = -1;
  #isWatched = false;

  constructor(held: Held) {
    this.#held = held;
  }

  abortsWith(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', this, { once: true });
  }

  /** The signal aborted. */
  handleEvent(): void {
    this.#held?.abort(this.#signal?.reason);
  }

  /** Soon after this is collected, nobody will come: the connection is released, and whoever waits for the end hears of it. */
  dropsWith(consumer: object): void {
    this.#consumer = consumer;
    this.#at = fresh.push(this) - 1;
    timer ??= systemClock.setTimer(watchAll, freshMs);
  }

  watch(): void {
    if (this.#consumer === undefined) return;
    unread.register(this.#consumer, this, this);
    this.#isWatched = true;
    this.#consumer = undefined;
  }

  dropped(): void {
    this.#held?.drop();
  }

  letGo(): void {
    this.#signal?.removeEventListener('abort', this);
    this.#signal = this.#held = undefined;
    if (this.#isWatched) unread.unregister(this);
    if (this.#consumer !== undefined) this.#leave();
  }

  #leave(): void {
    this.#consumer = undefined;
    const last = fresh.pop();
    if (last === undefined || last === this) return;
    fresh[this.#at] = last;
    last.#at = this.#at;
  }
}

const unread = new FinalizationRegistry<Hold>((hold) => hold.dropped());

/** Only what is still unread after a while is watched by the collector: to tell it costs more than most bodies take to read. */
const freshMs = 100;
let fresh: Hold[] = [];
let timer: Timer | undefined;

function watchAll(): void {
  const holds = fresh;
  fresh = [];
  timer = undefined;
  for (const hold of holds) hold.watch();
}
