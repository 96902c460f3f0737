import type { BulkheadPolicy } from 'cockatiel';

const aMicrotask = Promise.resolve();

/**
 * Who is next for a place. cockatiel takes a call out of its queue a microtask before it gives it the place that got free; whoever came in between would have that
 * place, and the one that waited for it would be refused.
 */
export class Turns {
  readonly #policy: BulkheadPolicy;
  readonly #maxQueue: number;
  /** Calls in cockatiel's queue, and those on their way from there to a place. */
  #inLine = 0;

  constructor(policy: BulkheadPolicy, maxQueue: number) {
    this.#policy = policy;
    this.#maxQueue = maxQueue;
  }

  /** Whether a call may start at once: there is a place that nobody is on the way to. */
  get isFree(): boolean {
    const { executionSlots, queueSlots } = this.#policy;
    return executionSlots > this.#inLine - (this.#maxQueue - queueSlots);
  }

  /** Takes a call to its place, or to cockatiel's queue where there is none. */
  async enter<T>(call: () => PromiseLike<T> | T, signal: AbortSignal): Promise<T> {
    while (this.#policy.executionSlots > 0 && !this.isFree) await aMicrotask;
    let waits = true;
    const arrive = (): void => {
      if (waits) this.#inLine--;
      waits = false;
    };
    this.#inLine++;
    try {
      return await this.#policy.execute(() => {
        arrive();
        return call();
      }, signal);
    } finally {
      arrive();
    }
  }
}
