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
    this.#end(() => this.#grant.settle(used));
  }

  /** The call never went out. */
  cancel(): void {
    this.#end(() => this.#grant.cancel());
  }

  #end(end: () => Promise<void>): void {
    if (this.isOver) return;
    this.isOver = true;
    void endQuietly(end);
  }
}

async function endQuietly(end: () => Promise<void>): Promise<void> {
  try {
    await end();
  } catch (error) {
    emit('error.critical', { source: 'llm', reason: 'settle_failed', message: String(error) });
  }
}
