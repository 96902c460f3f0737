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
  /** Those on their way; each comes back here where it fails, unless it is no longer the one of its id. */
  readonly #running = new Map<string, () => Promise<unknown>>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(retryMs: number, clock: Clock) {
    this.#retryMs = retryMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @param id a later call of the same id takes the place of an earlier one. */
  add(id: string, call: () => Promise<unknown>): void {
    this.drop(id);
    if (this.#closed) {
      this.dropped++;
      return;
    }
    if (this.#calls.size >= mostPending) this.#giveUpOldest();
    this.#calls.set(id, call);
    this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  /** It is no longer wanted. What is on its way may still arrive, but is not tried again. */
  drop(id: string): void {
    this.#calls.delete(id);
    this.#running.delete(id);
  }

  /** The store is back. */
  flush(): void {
    for (const [id, call] of this.#calls) {
      if (this.#running.size >= mostAtOnce) return;
      this.#make(id, call);
    }
  }

  /** Makes one last try, and waits for it no longer than `patienceMs`. What fails from then on is given up. */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const last = [...this.#calls.values()].map((call) => call());
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
    for (const [id, call] of this.#calls) {
      this.#make(id, call);
      break;
    }
    if (this.#calls.size > 0) this.#timer ??= this.#clock.setTimer(() => this.#retry(), this.#retryMs);
  }

  #make(id: string, call: () => Promise<unknown>): void {
    this.#calls.delete(id);
    this.#running.set(id, call);
    void this.#tryOnce(id, call);
  }

  async #tryOnce(id: string, call: () => Promise<unknown>): Promise<void> {
    let hasFailed = false;
    try {
      await call();
    } catch {
      hasFailed = true;
    }
    if (this.#running.get(id) !== call) return;
    this.#running.delete(id);
    if (hasFailed) this.add(id, call);
  }

  #giveUpOldest(): void {
    for (const id of this.#calls.keys()) {
      this.#calls.delete(id);
      this.dropped++;
      return;
    }
  }
}
