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
    if (this.isOver) return;
    this.isOver = true;
    try {
      endQuietly(this.#grant.settle(used));
    } catch (error) {
      tellFailed(error);
    }
  }

  /** The call never went out. */
  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      endQuietly(this.#grant.cancel());
    } catch (error) {
      tellFailed(error);
    }
  }
}

function endQuietly(end: Promise<void>): void {
  Promise.resolve(end).then(undefined, tellFailed);
}

function tellFailed(error: unknown): void {
  emit('error.critical', { source: 'llm', reason: 'settle_failed', message: String(error) });
}
