/** Takes from the limits what a call may use at most, before it goes out, and settles what it used, however it ends. */
import type {
  LimitDenial,
  LimiterPolicy,
  LimitGrant,
  LimitReserveOptions,
  LimitSubject,
  Middleware,
  Usage,
} from '@sage-adk/core';
import type { Ending, Progress } from '../body/progress.ts';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { errors } from '../errors.ts';
import { type CallEstimate, capOf, estimateCall, type Estimating } from '../limits/estimate-call.ts';
import { Settlement } from '../limits/settlement.ts';
import { costsOf, lostTries, spentBy } from '../limits/spent.ts';
import { denialOf } from '../local/denial.ts';
import { pricesBehind } from '../price/price-port.ts';

export interface ReserveOptions extends Omit<Estimating, 'prices'> {
  readonly limiter: LimiterPolicy;
  /** Who pays. */
  readonly subjectOf: (call: LlmCall) => LimitSubject;
  /** Whether a call goes out that a limit of money applies to and whose price nobody knows. */
  readonly allowsUnknown: boolean;
  /** Whether fewer output tokens may be granted than a request asks for. Those that it does not ask for always may. */
  readonly clamps: boolean;
}

export function reserve<C extends LlmCall, R>(given: ReserveOptions): Middleware<C, LlmAnswer<R>> {
  const options: Reserving = { ...given, prices: pricesBehind(given.price) };
  return async (call, next) => {
    const account = new Account(call, options);
    const outcome = account.ask();
    const granted = account.take('allowed' in outcome ? outcome : await outcome);
    const maxOutputTokens = account.isTooFew(granted) ? await account.askForAll() : granted;
    const renew = (): Promise<number | undefined> => account.renew();
    const mark = call.report?.mark;
    // Layers inside try again as well.
    if (mark !== undefined) mark.renew = renew;
    const attempts = mark?.attempts;
    try {
      const answer = await next({ ...call, maxOutputTokens, renew });
      const { progress } = answer;
      progress.onEnd((ending) => account.close(progress, ending));
      return answer;
    } catch (error) {
      if (mark?.attempts === attempts) account.cancel();
      else account.close();
      throw error;
    }
  };
}

type Reserving = ReserveOptions & Estimating;
type Outcome = LimitGrant | LimitDenial;

const none: readonly Usage[] = [];

/** What one call holds and used. Tries that came to nothing are paid when they are over, so that the next one has all of a reservation. */
class Account {
  readonly #call: LlmCall;
  readonly #options: Reserving;
  readonly #estimate: CallEstimate;
  #settlement: Settlement | undefined;
  #granted: CallEstimate;
  /** Lost tries that were paid. */
  #paid = 0;

  constructor(call: LlmCall, options: Reserving) {
    this.#call = call;
    this.#options = options;
    this.#granted = this.#estimate = estimateCall(call, options);
  }

  /** Asks for what the call may use. */
  ask(): Outcome | Promise<Outcome> {
    return askFor(this.#call, this.#estimate, this.#options);
  }

  /** Takes what was granted. Returns the limit of output tokens that goes into the request. Throws where it was denied. */
  take(grant: Outcome): number {
    if (!grant.allowed) throw denialOf(grant);
    const estimate = this.#estimate;
    const outputTokens = grant.outputTokens ?? estimate.outputTokens;
    this.#settlement = new Settlement(grant);
    const { report } = this.#call;
    if (report !== undefined) report.isClamped = outputTokens < estimate.outputTokens;
    this.#granted = outputTokens === estimate.outputTokens ? estimate : { ...estimate, outputTokens };
    return capOf(this.#call, outputTokens, this.#options);
  }

  /** Whether the provider would refuse what was granted, and not what was asked for. */
  isTooFew(maxOutputTokens: number): boolean {
    const { leastOutputTokens = 1, maxOutputTokens: said = Number.POSITIVE_INFINITY } = this.#call;
    return maxOutputTokens < leastOutputTokens && said >= leastOutputTokens;
  }

  /** Gives back what is of no use, and asks for all or nothing. Throws where it was denied. */
  async askForAll(): Promise<number> {
    this.cancel();
    return this.take(await askFor(this.#call, this.#estimate, this.#options, 'reject'));
  }

  async renew(): Promise<number | undefined> {
    if (this.#lost() === 0 && this.#settlement?.isOver === false) {
      return capOf(this.#call, this.#granted.outputTokens, this.#options);
    }
    this.close();
    const granted = this.take(await this.ask());
    return this.isTooFew(granted) ? this.askForAll() : granted;
  }

  close(progress?: Progress, ending?: Ending): void {
    const call = this.#call;
    const count = this.#lost();
    this.#paid += count;
    const isPaid = progress !== undefined && ending !== undefined && call.report?.isFree !== true;
    const spent = isPaid ? spentBy(call, progress, ending, this.#granted) : none;
    const used = count === 0 ? spent : [...lostTries(call, count, this.#granted, this.#options.price), ...spent];
    this.#settlement?.settle(costsOf(used, call, progress?.facts().model, this.#options.price));
  }

  cancel(): void {
    this.#settlement?.cancel();
  }

  /** Not a getter: V8 calls its runtime for private ones. */
  #lost(): number {
    return (this.#call.report?.lost ?? 0) - this.#paid;
  }
}

function askFor(
  call: LlmCall,
  estimate: CallEstimate,
  options: ReserveOptions,
  onDenied?: 'reject',
): Outcome | Promise<Outcome> {
  const { limiter, clamps } = options;
  const { signal, maxOutputTokens } = call;
  const subject = options.subjectOf(call);
  refuseUnpriced(call, subject, estimate, options);
  const { outputTokenNanoUsd } = estimate;
  const asked: { -readonly [N in keyof LimitReserveOptions]: LimitReserveOptions[N] } = {
    onDenied: onDenied ?? (clamps || maxOutputTokens === undefined ? 'clamp' : 'reject'),
  };
  if (signal !== undefined) asked.signal = signal;
  if (outputTokenNanoUsd !== undefined) asked.outputTokenNanoUsd = outputTokenNanoUsd;
  return limiter.reserve(subject, estimate.costs, asked);
}

function refuseUnpriced(
  { provider, model }: LlmCall,
  subject: LimitSubject,
  { costs }: CallEstimate,
  { limiter, price, allowsUnknown }: ReserveOptions,
): void {
  if (costs.costNanoUsd !== undefined || allowsUnknown) return;
  const countsCost = limiter.countsCost?.(subject) ?? price !== undefined;
  if (countsCost) throw errors.PRICE_UNKNOWN({ provider, model });
}
