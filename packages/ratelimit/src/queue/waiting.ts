import type { LimitCosts, LimitSubject } from '@sage-adk/core';
import type { Limit, ReserveOptions } from '../limiter.ts';
import type { Denied, Reservation } from '../reservation.ts';
import type { Placed } from './fair-line.ts';
import type { Gate } from './gate.ts';

/** One call that waits. */
export interface Waiting extends Placed {
  readonly subject: LimitSubject;
  readonly estimate: LimitCosts | undefined;
  readonly options: ReserveOptions;
  readonly limits: readonly Limit[];
  /** Where it stands; undefined once it is over. */
  gate: Gate | undefined;
  /** Gates at which it was its turn already. */
  readonly passed: Set<Gate>;
  /** Why it waits. */
  denied: Denied;
  readonly end: (outcome: Outcome) => void;
}

/** How a wait ends. */
export type Outcome =
  | { readonly name: 'admitted'; readonly reservation: Reservation }
  | { readonly name: 'refused'; readonly denied: Denied }
  | { readonly name: 'failed'; readonly error: unknown };
