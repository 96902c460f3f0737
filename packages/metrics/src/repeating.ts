/** Work that is done again and again, never twice at the same moment, and once more at the end. */
import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from '@sage-adk/core';

export interface RepeatingOptions {
  readonly everyMs: number;
  readonly clock: Clock;
  /** Its errors are its own to tell of: in the background nobody waits for them. */
  readonly work: () => Promise<void>;
}

/** The work is done here: a request that makes it, asks for it or closes it must not lend it its deadline or its signal. */
const outside = new AsyncResource('sage-adk:metrics');

export class Repeating {
  readonly #options: RepeatingOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: RepeatingOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Does it now, or, where it is being done, once more after that: what was true at the call is in it. */
  now(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#run();
    this.#next = this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#run();
      });
    return this.#next;
  }

  /** Repeats no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  #run(): Promise<void> {
    this.#running = outside.runInAsyncScope(this.#options.work).finally(() => (this.#running = undefined));
    return this.#running;
  }

  #wait(): void {
    const { everyMs, clock } = this.#options;
    this.#timer = clock.setTimer(() => {
      if (this.#running === undefined) this.now().catch(() => {});
      this.#wait();
    }, everyMs);
  }
}
