/** What every adapter does with a request: find out who is limited, decide, and say what to answer. */
import {
  type Clock,
  type LimitCosts,
  type LimitSubject,
  optionErrors,
  requireOption,
  requireWhole,
  systemClock,
} from '@sage-adk/core';
import type { Decision } from '../decision.ts';
import { addressSubject, clientOf } from './address.ts';
import { type Denial, denialOf } from './denial.ts';
import { type FieldDialect, fieldsOf } from './fields.ts';
import type { ForwardedField } from './forwarded.ts';

/** A limiter as an adapter needs it: any of these three. The first that is there is used, `reserve` only where `hold` asks for it. */
export interface HttpLimiter {
  check?(subject: LimitSubject, costs?: LimitCosts): PromiseLike<Decision>;
  checkSync?(subject: LimitSubject, costs?: LimitCosts): Decision;
  reserve?(
    subject: LimitSubject,
    costs?: LimitCosts,
    options?: HoldOptions,
  ): PromiseLike<HttpReservation | HttpRefusal>;
}

/** How long things may last that are held, in milliseconds; see `reserve` of the limiter for the defaults. */
export interface HoldOptions {
  /** How long a request may wait for its turn, where a rule has a queue. */
  readonly maxWaitMs?: number;
  /** When what is held comes back after this process died. */
  readonly ttlMs?: number;
  /** When it comes back though the response goes on. */
  readonly maxHoldMs?: number;
}

/** What a limiter holds for a call; the first of settle and cancel counts. */
export interface HttpReservation {
  readonly allowed: true;
  readonly decision: Decision;
  /** The call is over. Without costs it used what was reserved. */
  settle(actual?: LimitCosts): PromiseLike<unknown>;
  /** The call never started. */
  cancel(): PromiseLike<unknown>;
}

/** What a limiter that denies a reservation says. */
export interface HttpRefusal {
  readonly allowed: false;
  readonly decision: Decision;
}

/** Options of every adapter. `R` is the request of its framework, `A` what its handlers get besides. */
export interface LimitOptions<R, A extends readonly unknown[] = readonly []> {
  readonly limiter: HttpLimiter;
  /** Who is limited; take it from what you verified. @default the client's address */
  subjectOf?(request: R, ...rest: A): LimitSubject | undefined | PromiseLike<LimitSubject | undefined>;
  /** What the request costs. @default one request */
  costOf?(request: R, ...rest: A): LimitCosts | undefined | PromiseLike<LimitCosts | undefined>;
  /** Whether the request passes without a decision. @default none does */
  skip?(request: R, ...rest: A): boolean | PromiseLike<boolean>;
  /**
   * Reserves instead of checking, and settles when the response is over, however it ends: sent, cut by the client, failed. Needed for limits of
   * concurrency, and for queues. @default false
   */
  readonly hold?: boolean | HoldOptions;
  /** @default 'prd' */
  readonly headers?: FieldDialect;
  /** See `RateLimitFieldOptions`. @default none */
  readonly partitionSecret?: string;
  /** Proxies of yours that every request passes; see `clientAddress`. @default 0 */
  readonly trustedProxies?: number;
  /** What they write the client's address to. @default 'x-forwarded-for' */
  readonly forwardedField?: ForwardedField;
  readonly clock?: Clock;
}

/** What became of a request at a limiter. */
export interface Admission {
  readonly decision: Decision;
  /** Tells the client about the decision. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** What to answer instead of the handler. */
  readonly denial: Denial | undefined;
  /** What is held until the response is over. A handler that knows what the call really used settles it itself. */
  readonly reservation: HttpReservation | undefined;
}

/** What is read of a framework's request. */
export interface RequestReader<R> {
  peer(request: R): string | undefined;
  field(request: R, name: string): string | undefined;
}

/** Decides about a request; undefined where it is skipped. Throws what the limiter or a function of the options throws. */
export type Gate<R, A extends readonly unknown[] = readonly []> = (
  request: R,
  ...rest: A
) => Promise<Admission | undefined>;

/** Throws `SAGE_CORE_INVALID_OPTION` for an option that cannot be. */
export function createGate<R, A extends readonly unknown[]>(
  options: LimitOptions<R, A>,
  reader: RequestReader<R>,
): Gate<R, A> {
  const { headers = 'prd', trustedProxies = 0, forwardedField = 'x-forwarded-for', clock = systemClock } = options;
  requireOption('headers', headers, '"prd", "ietf" or "both"', (value) => ['prd', 'ietf', 'both'].includes(value));
  requireWhole('trustedProxies', trustedProxies, 0, 32);
  requireOption('forwardedField', forwardedField, '"x-forwarded-for" or "forwarded"', (value) =>
    ['x-forwarded-for', 'forwarded'].includes(value),
  );
  const ask = askerOf(options.limiter, options.hold ?? false);
  const byAddress = (request: R): LimitSubject => {
    const forwarded = trustedProxies === 0 ? undefined : reader.field(request, forwardedField);
    return addressSubject(clientOf(reader.peer(request), forwarded, trustedProxies, forwardedField));
  };
  return async (request, ...rest) => {
    if (await options.skip?.(request, ...rest)) return undefined;
    const subject = (await options.subjectOf?.(request, ...rest)) ?? byAddress(request);
    const { decision, reservation } = await ask(subject, await options.costOf?.(request, ...rest));
    const field = { partitionSecret: options.partitionSecret, nowMs: clock.now() };
    return {
      decision,
      fields: fieldsOf(decision, headers, field),
      denial: decision.allowed ? undefined : denialOf(decision, reader.field(request, 'accept')),
      reservation,
    };
  };
}

/** Refuses options that leave open who sent a request, where the framework doesn't know either: nobody would be limited, or all as one. */
export function requireSubject({
  subjectOf,
  trustedProxies = 0,
}: {
  readonly subjectOf?: unknown;
  readonly trustedProxies?: number;
}): void {
  const expected = "given, or trustedProxies at least 1: the client's address is not known here";
  requireOption('subjectOf', subjectOf, expected, (value) => value !== undefined || trustedProxies > 0);
}

type Asker = (
  subject: LimitSubject,
  costs: LimitCosts | undefined,
) => Promise<Pick<Admission, 'decision' | 'reservation'>>;

function askerOf(limiter: HttpLimiter, hold: boolean | HoldOptions): Asker {
  if (hold !== false && can(limiter, 'reserve')) {
    const options = hold === true ? {} : hold;
    return async (subject, costs) => {
      const outcome = await limiter.reserve(subject, costs, options);
      return { decision: outcome.decision, reservation: outcome.allowed ? outcome : undefined };
    };
  }
  if (hold === false && can(limiter, 'check')) {
    return async (subject, costs) => ({ decision: await limiter.check(subject, costs), reservation: undefined });
  }
  if (hold === false && can(limiter, 'checkSync')) {
    return async (subject, costs) => ({ decision: limiter.checkSync(subject, costs), reservation: undefined });
  }
  const expected = hold === false ? 'one with check or checkSync' : 'one with reserve, since it is to hold';
  throw optionErrors.INVALID_OPTION({ option: 'limiter', value: typeof limiter, expected });
}

function can<K extends keyof HttpLimiter>(
  limiter: HttpLimiter,
  name: K,
): limiter is HttpLimiter & Required<Pick<HttpLimiter, K>> {
  return typeof limiter[name] === 'function';
}
