import type { LimitCosts, LimitSubject } from '@sage-adk/core';
import { scopeKey } from '../keys.ts';
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

/** A call before it waits. */
export type Call = Omit<Waiting, 'denied' | 'gate' | 'passed' | 'end'>;

/** How a wait ends. */
export type Outcome =
  | { readonly name: 'admitted'; readonly reservation: Reservation }
  | { readonly name: 'refused'; readonly denied: Denied }
  | { readonly name: 'failed'; readonly error: unknown };

/** Who waits. */
export type Whose = Pick<Waiting, 'tenant' | 'user'>;

/** Who waits, and for which part of what is scarce: the largest of the parts of its limits. */
export function whose({ tenant = '', ...subject }: LimitSubject, limits: readonly Limit[]) {
  const share = Math.max(1e-9, ...limits.map(({ cost, limit }) => cost / limit));
  return { tenant, user: scopeKey('user', subject) ?? '', share };
}

/** A user of a tenant, as a key: no name holds the character between them. */
export function personOf({ tenant, user }: Whose): string {
  return `${tenant}\0${user}`;
}
