import { emit, type LimitCosts, type LimitGrant } from '@sage-adk/core';

/** The end of a grant: the first word counts, and what the store says to it changes nothing for a call that is over. */
export class Settlement {
  readonly #grant: LimitGrant;
  isOver = false;

  constructor(grant: LimitGrant) {
    this.#grant = grant;
  }

  /** The call used so much. */
  settle(used: LimitCosts): void {
    this.#end(used);
  }

  /** The call never went out. */
  cancel(): void {
    this.#end(undefined);
  }

  #end(used: LimitCosts | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      const end = used === undefined ? this.#grant.cancel() : this.#grant.settle(used);
      if (end !== fulfilled) Promise.resolve(end).then(() => void (fulfilled = end), tellFailed);
    } catch (error) {
      tellFailed(error);
    }
  }
}

/** The last that was fulfilled: a limiter may say the same of all that end well, and then nobody has to listen again. */
let fulfilled: Promise<void> | undefined;

function tellFailed(error: unknown): void {
  emit('error.critical', { source: 'llm', reason: 'settle_failed', message: String(error) });
}
