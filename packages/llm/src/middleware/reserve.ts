/** Takes from the limits what a call may use at most, before it goes out, and settles what it used, however it ends. */
import type { LimiterPolicy, LimitGrant, LimitSubject, Middleware } from '@sage-adk/core';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { errors } from '../errors.ts';
import { type CallEstimate, capOf, estimateCall, type Estimating } from '../limits/estimate-call.ts';
import { Settlement } from '../limits/settlement.ts';
import { costsOf, spentBy, spentWithoutAnswer } from '../limits/spent.ts';
import { denialOf } from '../local/denial.ts';

export interface ReserveOptions extends Estimating {
  readonly limiter: LimiterPolicy;
  /** Who pays. */
  readonly subjectOf: (call: LlmCall) => LimitSubject;
  /** Whether a call goes out whose price the price book does not know. */
  readonly unknownPrice: 'refuse' | 'allow';
  /** Whether fewer output tokens may be granted than a request asks for. Those that it does not ask for always may. */
  readonly clamps: boolean;
}

export function reserve<C extends LlmCall, R>(options: ReserveOptions): Middleware<C, LlmAnswer<R>> {
  const { price } = options;
  return async (call, next) => {
    const estimate = estimateCall(call, options);
    const grant = await take(call, estimate, options);
    const settlement = new Settlement(grant);
    const maxOutputTokens = capOf(call, grant.outputTokens ?? estimate.outputTokens, options);
    const granted = maxOutputTokens === call.maxOutputTokens ? call : { ...call, maxOutputTokens };
    const attempts = call.report?.mark.attempts;
    try {
      const answer = await next(granted);
      const { progress } = answer;
      progress.onEnd((ending) => settlement.settle(costsOf(spentBy(granted, progress, ending, estimate), call, price)));
      return answer;
    } catch (error) {
      if (call.report?.mark.attempts === attempts) settlement.cancel();
      else settlement.settle(costsOf(spentWithoutAnswer(granted, estimate), call, price));
      throw error;
    }
  };
}

async function take(call: LlmCall, estimate: CallEstimate, options: ReserveOptions): Promise<LimitGrant> {
  const { limiter, clamps, unknownPrice } = options;
  const { provider, model, signal, maxOutputTokens } = call;
  if (!estimate.isPriced && unknownPrice === 'refuse') throw errors.PRICE_UNKNOWN({ provider, model });
  const { outputTokenNanoUsd } = estimate;
  const grant = await limiter.reserve(options.subjectOf(call), estimate.costs, {
    ...(signal !== undefined && { signal }),
    onDenied: clamps || maxOutputTokens === undefined ? 'clamp' : 'reject',
    ...(outputTokenNanoUsd !== undefined && { outputTokenNanoUsd }),
  });
  if (!grant.allowed) throw denialOf(grant);
  return grant;
}
