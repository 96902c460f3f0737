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

/** The last that was fulfilled: a limiter may say the same of all that end well, and then nobody has to listen again. */
let fulfilled: Promise<void> | undefined;

function endQuietly(end: Promise<void>): void {
  if (end === fulfilled) return;
  Promise.resolve(end).then(() => {
    fulfilled = end;
  }, tellFailed);
}

function tellFailed(error: unknown): void {
  emit('error.critical', { source: 'llm', reason: 'settle_failed', message: String(error) });
}
