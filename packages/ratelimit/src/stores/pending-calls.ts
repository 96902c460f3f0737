import type { Clock, Timer } from '@sage-adk/core';

const mostPending = 10_000;
const mostAtOnce = 16;

/** Calls that a store could not take, made again when it is back. The oldest is given up where there are too many. */
export class PendingCalls {
  /** Calls that were given up. */
  dropped = 0;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #calls = new Map<string, () => Promise<unknown>>();
  #running = 0;
  #timer: Timer | undefined;

  constructor(retryMs: number, clock: Clock) {
    this.#retryMs = retryMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @param id a later call of the same id takes the place of an earlier one. */
  add(id: string, call: () => Promise<unknown>): void {
    this.#calls.delete(id);
    if (this.#calls.size >= mostPending) this.#giveUpOldest();
    this.#calls.set(id, call);
    this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  /** It is no longer wanted. */
  drop(id: string): void {
    this.#calls.delete(id);
  }

  /** The store is back. */
  flush(): void {
    for (const [id, call] of this.#calls) {
      if (this.#running >= mostAtOnce) return;
      this.#make(id, call);
    }
  }

  /** Makes one last try, and waits for it no longer than `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    this.#timer?.cancel();
    const last = [...this.#calls.values()].map((call) => call());
    this.#calls.clear();
    if (last.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(resolve, patienceMs);
      void Promise.allSettled(last).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Tries one, since the traffic that would find out may be over. */
  #retry(): void {
    this.#timer = undefined;
    for (const [id, call] of this.#calls) {
      this.#make(id, call);
      break;
    }
    if (this.#calls.size > 0) this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  #make(id: string, call: () => Promise<unknown>): void {
    this.#calls.delete(id);
    this.#running++;
    void this.#tryOnce(id, call);
  }

  async #tryOnce(id: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch {
      // Unless a later call of the same id came in the meantime.
      if (!this.#calls.has(id)) this.add(id, call);
    } finally {
      this.#running--;
    }
  }

  #giveUpOldest(): void {
    for (const id of this.#calls.keys()) {
      this.#calls.delete(id);
      this.dropped++;
      return;
    }
  }
}
