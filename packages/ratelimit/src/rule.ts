/** What a user writes down as a limit. */
import type { LimitSubject } from '@sage-adk/core';

/** A limit: so much of a unit per period, for each key of a scope. */
export interface Rule {
  /** Names the rule in decisions, metrics and errors; unique in its limiter. 1 to 64 letters, digits and `. _ : -`. */
  readonly name: string;
  /** What is counted. @default 'requests' */
  readonly unit?: Unit;
  /** Units per period; for `concurrency` at once; for `cost` in billionths of a US dollar, see `usd`. Infinity for no limit but that of a tier. */
  readonly limit: number;
  /** Not for `concurrency`, which has no period. */
  readonly per?: Period;
  /** Who shares the limit. */
  readonly scope: Scope;
  /** The rule applies only to subjects with these members, such as `{ provider: 'openai' }`. @default to all */
  readonly when?: Readonly<Partial<Record<'user' | 'tenant' | 'endpoint' | 'provider' | 'model', string>>>;
  /** @default 'sliding-window' for cost, 'fixed-window' for a calendar's day or month, else 'token-bucket' */
  readonly strategy?: Strategy;
  /** Of a bucket: most units at once. @default `limit`; half of it, rounded up, where `strict`; 1 for requests of a leaky bucket */
  readonly burst?: number;
  /**
   * Of a token bucket: never more than `limit` in any window of one period; without it, a full bucket and its refill may add up to `burst + limit`.
   * The sustained rate is `limit + 1 - burst` per period. @default false
   */
  readonly strict?: boolean;
  /** Of a leaky bucket: units that may wait for their departure, in `reserve` with a `maxWaitMs`. @default 0, it is a meter */
  readonly maxQueue?: number;
  /** Of a fixed window: begins with a key's first charge instead of lying side by side from midnight UTC. @default false */
  readonly anchored?: boolean;
  /** Of a calendar's day or month: where. @default 'UTC' */
  readonly timeZone?: string;
  /** `shadow` decides and reports, and denies nothing. @default 'enforce' */
  readonly mode?: Mode;
  /**
   * When a shared store does not answer: `open` allows, `closed` denies, `local` goes by a count in this process with this process's share of the limit.
   * @default 'closed' for cost, else 'local'
   */
  readonly onStoreError?: StorePolicy;
  /**
   * What becomes of a reservation whose time is over and that nobody settled: `charge` leaves it charged, since it may have been used; `return` gives it back.
   * Slots of `concurrency` always come back. @default 'charge'
   */
  readonly onExpiry?: 'charge' | 'return';
  /** Other limits for subjects of a tier; what a tier does not name is as in the rule. Each tier counts for itself. */
  readonly tiers?: Readonly<Record<string, TierLimits>>;
}

/** What may differ by tier. */
export type TierLimits = Pick<Rule, 'burst' | 'maxQueue'> & Partial<Pick<Rule, 'limit'>>;

/** What is counted; tokens are input and output together. */
export type Unit = 'requests' | 'tokens' | 'input_tokens' | 'output_tokens' | 'cost' | 'concurrency';
/** How it is counted; what each admits is said beside its arithmetic, in the files of `strategies`. */
export type Strategy = 'token-bucket' | 'fixed-window' | 'sliding-window' | 'leaky-bucket';
/** Whether a rule denies, or only says that it would have. */
export type Mode = 'enforce' | 'shadow';
/** Who decides while a shared store does not answer: nobody and all pass, nobody and none does, or this process. */
export type StorePolicy = 'open' | 'closed' | 'local';

/** `calendar-day` and `calendar-month` are those of a time zone and are counted in fixed windows; a `day` is 24 hours. */
export type Period = 'second' | 'minute' | 'hour' | 'day' | 'calendar-day' | 'calendar-month' | { readonly ms: number };

/**
 * `global`: all together. `user`: each `subject.user`, or each `subject.principal` where that is missing. `endpoint`, `provider`, `tenant`: each of them.
 * A function names the key itself; rules that share one function share its keys. Where the key is undefined the rule does not apply.
 */
export type Scope =
  | 'global'
  | 'user'
  | 'endpoint'
  | 'provider'
  | 'tenant'
  | ((subject: LimitSubject) => string | undefined);

/** US dollars as the whole billionths that limits of `cost` are counted in. */
export function usd(dollars: number): number {
  return Math.round(dollars * 1e9);
}
