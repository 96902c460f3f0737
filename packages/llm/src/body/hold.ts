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

  constructor(held: Held) {
    this.#held = held;
  }

  abortsWith(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** Once this is collected, nobody will come: the connection is released, and whoever waits for the end hears of it. */
  dropsWith(consumer: object): void {
    unread.register(consumer, this, this);
  }

  dropped(): void {
    this.#held?.drop();
  }

  letGo(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#signal = this.#held = undefined;
    unread.unregister(this);
  }

  readonly #abort = (): void => this.#held?.abort(this.#signal?.reason);
}

const unread = new FinalizationRegistry<Hold>((hold) => hold.dropped());
