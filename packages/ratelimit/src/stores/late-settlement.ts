import type { Clock } from '@sage-adk/core';
import { excessOf } from '../used.ts';
import { isUnanswered } from './deadline-call.ts';
import type { Ask, Settlement, SettleRequest } from './store.ts';

/** What a settlement asks for while its store may be away. */
export interface Settling {
  readonly clock: Clock;
  /** Tries once. */
  readonly settle: () => Promise<Settlement>;
  /** Charges for good. */
  readonly charge: (asks: readonly Ask[]) => Promise<unknown>;
}

/**
 * A settlement that is tried until the store takes it, which may be when the reservation is over. What was reserved stays charged then, and what was used
 * beyond it is charged: once, so not where a try whose answer never came may have done so.
 */
export class LateSettlement {
  readonly #request: SettleRequest;
  readonly #settling: Settling;
  /** Whether an answer never came of what may have charged it. */
  #isUnknown = false;

  constructor(request: SettleRequest, settling: Settling) {
    this.#request = request;
    this.#settling = settling;
  }

  try(): Promise<Settlement> {
    const { settle } = this.#settling;
    // What is over is settled by no try.
    return this.#isOver ? settle() : this.#noting(settle);
  }

  /** Not the first one, whose caller takes what came of it. */
  async tryAgain(): Promise<void> {
    const { settled } = await this.try();
    if (settled || this.#isUnknown || !this.#isOver) return;
    const { asks, reserved } = this.#request;
    const excess = excessOf(asks, reserved?.asks ?? asks);
    if (excess.length > 0) await this.#noting(() => this.#settling.charge(excess));
  }

  get #isOver(): boolean {
    const { reserved } = this.#request;
    return reserved !== undefined && reserved.untilMs <= this.#settling.clock.monotonicMs();
  }

  async #noting<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#isUnknown ||= isUnanswered(error);
      throw error;
    }
  }
}
