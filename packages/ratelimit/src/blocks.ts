import type { Clock } from '@sage-adk/core';
import { DenyCache } from './stores/deny-cache.ts';
import type { Answer, Ask, DecideRequest } from './stores/store.ts';

const mostBlocks = 10_000;

/** Rules that somebody else closed for a while, for single keys. */
export class Blocks {
  readonly #clock: Clock;
  readonly #denials = new DenyCache(mostBlocks, { ofRule: false });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#denials.size;
  }

  /** What is closed for longer already stays so. */
  add({ rule, key }: Ask, forMs: number): void {
    const finding = { rule, key, cost: 0, allowed: false, remaining: 0, resetAfterUs: 0, retryAfterUs: 0 };
    this.#denials.add(finding, this.#nowUs() + forMs * 1_000);
  }

  answerTo(request: DecideRequest): Answer | undefined {
    // Mostly nothing is, and the clock costs more to read than that to see.
    if (this.#denials.size === 0 || request.kind === 'lower' || request.kind === 'charge' || 'force' in request) {
      return undefined;
    }
    return this.#denials.answerTo(request.asks, this.#nowUs());
  }

  #nowUs(): number {
    return this.#clock.monotonicMs() * 1_000;
  }
}
