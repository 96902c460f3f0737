/** Leaves a provider alone that failed too often. */
import {
  type BreakerPermit,
  type BreakerPolicy,
  isSageError,
  type Middleware,
  type SageError,
  verdictOf,
} from '@sage-adk/core';
import type { Ending } from '../body/progress.ts';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { errors } from '../errors.ts';
import { ProviderError } from '../failure.ts';

export interface BreakerOptions {
  readonly breaker: BreakerPolicy;
  readonly dependencyOf: (call: LlmCall) => string;
}

/** The permit is held until the answer ended: a stream that breaks off is a failure of the provider, too. */
export function breaker<C extends LlmCall, R>({
  breaker: policy,
  dependencyOf,
}: BreakerOptions): Middleware<C, LlmAnswer<R>> {
  return async (call, next) => {
    const permit = policy.tryAcquire(dependencyOf(call));
    if (permit === undefined) throw errors.RESTING({ provider: call.provider });
    try {
      const answer = await next(call);
      const { progress } = answer;
      progress.onEnd((ending) => {
        if (progress.refusal === undefined || ending.kind === 'failed') conclude(permit, ending);
        else judge(permit, new ProviderError(call.provider, progress.refusal));
      });
      return answer;
    } catch (error) {
      if (isFault(error, call.signal)) permit.fail(error);
      else permit.release();
      throw error;
    }
  };
}

/** A request that the provider refuses says nothing of its health, and nor does a limit that was reached. */
function judge(permit: BreakerPermit, error: ProviderError): void {
  if (error.status >= 500 || error.status === 408) permit.fail(error);
  else permit.release();
}

function conclude(permit: BreakerPermit, ending: Ending): void {
  if (ending.kind === 'done') permit.succeed();
  else if (ending.kind === 'cancelled') permit.release();
  else if (isSageError(ending.error) && saysNothing(ending.error)) permit.release();
  else if (!isFault(ending.error, undefined)) permit.release();
  else permit.fail(ending.error);
}

function saysNothing({ category, code }: SageError): boolean {
  return category === 'permanent' || code === errors.RATE_LIMITED.code;
}

function isFault(error: unknown, signal: AbortSignal | undefined): boolean {
  const { outcome } = verdictOf(error, signal);
  return signal?.aborted !== true && outcome !== 'denied' && outcome !== 'cancelled';
}
