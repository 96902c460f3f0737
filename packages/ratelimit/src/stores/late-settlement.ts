import { type Clock, isSageError } from '@sage-adk/core';
import type { Ask, Settlement, SettleRequest } from './store.ts';

/** What a settlement asks for while its store may be away. */
export interface Settling {
  readonly clock: Clock;
  /** Tries once. */
  settle(): Promise<Settlement>;
  /** Charges for good. */
  charge(asks: readonly Ask[]): Promise<unknown>;
}

/**
 * A settlement that is tried until the store takes it, which may be when the reservation is over. What was reserved stays charged then, and what was used
 * beyond it is charged: once, so not where a try whose answer never came may have done so.
 */
export class LateSettlement {
  readonly #request: SettleRequest;
  readonly #settling: Settling;
  #mayBeSettled = false;

  constructor(request: SettleRequest, settling: Settling) {
    this.#request = request;
    this.#settling = settling;
  }

  async try(): Promise<Settlement> {
    const couldBeSettled = !this.#isOver;
    try {
      return await this.#settling.settle();
    } catch (error) {
      this.#mayBeSettled ||= couldBeSettled && isSageError(error) && error.outcome === 'timeout';
      throw error;
    }
  }

  /** Not the first one, whose caller takes what came of it. */
  async tryAgain(): Promise<void> {
    const { settled } = await this.try();
    if (settled || this.#mayBeSettled || !this.#isOver) return;
    const excess = excessOf(this.#request);
    if (excess.length > 0) await this.#settling.charge(excess);
  }

  get #isOver(): boolean {
    const { reserved } = this.#request;
    return reserved !== undefined && reserved.untilMs <= this.#settling.clock.monotonicMs();
  }
}

/** What was used beyond what was reserved. */
function excessOf({ asks, reserved }: SettleRequest): readonly Ask[] {
  const costs = asks.map((ask, n) => ask.cost - (reserved?.asks[n]?.cost ?? ask.cost));
  return asks.map((ask, n) => ({ ...ask, cost: costs[n] ?? 0 })).filter(({ cost }) => cost > 0);
}
