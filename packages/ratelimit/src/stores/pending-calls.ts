import type { Clock, Timer } from '@sage-adk/core';

const mostPending = 10_000;
const mostAtOnce = 16;

/** A call that a store could not take. */
type Make = () => Promise<unknown>;

interface Pending {
  readonly make: Make;
  /** Finds out whether the store is back. */
  readonly probe: Make | undefined;
}

interface Running {
  readonly pending: Pending;
  /** Whether it was made. */
  readonly made: Promise<boolean>;
}

/** Calls that a store could not take, made again when it is back. The oldest is given up where there are too many. */
export class PendingCalls {
  /** Calls that were given up. */
  dropped = 0;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #calls = new Map<string, Pending>();
  /** Those on their way; each comes back here where it fails, unless it is no longer the one of its id. */
  readonly #running = new Map<string, Running>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(retryMs: number, clock: Clock) {
    this.#retryMs = retryMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#calls.size;
  }

  /**
   * @param id a later call of the same id takes the place of an earlier one. @param probe what is called to find out whether the store is back, where the
   * call itself must not be made twice. @default the call
   */
  add(id: string, make: Make, probe?: Make): void {
    this.#keep(id, { make, probe });
  }

  #keep(id: string, pending: Pending): void {
    this.#calls.delete(id);
    this.#running.delete(id);
    if (this.#closed) {
      this.dropped++;
      return;
    }
    if (this.#calls.size >= mostPending) this.#giveUpOldest();
    this.#calls.set(id, pending);
    this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  /** Makes the call of that id before another one is made; whether none is left. */
  first(id: string): Promise<boolean> | true {
    const pending = this.#calls.get(id);
    if (pending !== undefined) this.#make(id, pending);
    return this.#running.get(id)?.made ?? true;
  }

  /** The store is back. */
  flush(): void {
    for (const [id, pending] of this.#calls) {
      if (this.#running.size >= mostAtOnce) return;
      this.#make(id, pending);
    }
  }

  /** Makes one last try, and waits for it no longer than `patienceMs`. What fails from then on is given up. */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const last = [...this.#calls.values()].map(({ make }) => make());
    this.#calls.clear();
    if (last.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(resolve, patienceMs, { keepAlive: true });
      void Promise.allSettled(last).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Tries one, since the traffic that would find out may be over. */
  #retry(): void {
    this.#timer = undefined;
    for (const [id, pending] of this.#calls) {
      if (pending.probe === undefined) this.#make(id, pending);
      // Where the store answers, all of them are made.
      else pending.probe().catch(() => {});
      break;
    }
    if (this.#calls.size > 0) this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  #make(id: string, pending: Pending): void {
    this.#calls.delete(id);
    this.#running.set(id, { pending, made: this.#tryOnce(id, pending) });
  }

  async #tryOnce(id: string, pending: Pending): Promise<boolean> {
    // What fails at once fails after it is on its way.
    await Promise.resolve();
    let isMade = true;
    try {
      await pending.make();
    } catch {
      isMade = false;
    }
    if (this.#running.get(id)?.pending !== pending) return isMade;
    this.#running.delete(id);
    if (!isMade) this.#keep(id, pending);
    return isMade;
  }

  #giveUpOldest(): void {
    for (const id of this.#calls.keys()) {
      this.#calls.delete(id);
      this.dropped++;
      return;
    }
  }
}
