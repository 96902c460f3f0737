import type { Status } from '../verdict.ts';

/** What is believed of a check, which one odd run does not change. */
export interface Standing {
  readonly down: boolean;
  /** The last result that the check had. */
  readonly last: Status;
  /** Results in a row that speak against the standing. */
  readonly against: number;
}

export interface Thresholds {
  /** Failures in a row that take a check down. */
  readonly failureThreshold: number;
  /** Passes in a row that bring it back. */
  readonly successThreshold: number;
}

/** The standing after one more result. The first result of all counts at once: there is nothing yet to hold on to. */
export function nextStanding(standing: Standing | undefined, result: Status, thresholds: Thresholds): Standing {
  const fails = result === 'fail';
  if (standing === undefined) return { down: fails, last: result, against: 0 };
  if (fails === standing.down) return { down: fails, last: result, against: 0 };
  const against = standing.against + 1;
  const needed = fails ? thresholds.failureThreshold : thresholds.successThreshold;
  return against < needed ? { down: standing.down, last: result, against } : { down: fails, last: result, against: 0 };
}

/** What a standing means: a check that is well and just failed is worth a warning. */
export function statusOf({ down, last }: Standing): Status {
  if (down) return 'fail';
  return last === 'fail' ? 'warn' : last;
}
