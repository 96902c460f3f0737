import type { Denied, Reservation } from '../../src/index.ts';

export function granted(outcome: Reservation | Denied): Reservation {
  if (!outcome.allowed) throw new Error(`denied by ${outcome.rule}`);
  return outcome;
}

export function refused(outcome: Reservation | Denied): Denied {
  if (outcome.allowed) throw new Error('not denied');
  return outcome;
}
