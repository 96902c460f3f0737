/** Tries a call again where a policy says that this helps. What was begun to be read is never tried again. */
import { type Middleware, type RetryPolicy } from '@sage-adk/core';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { ProviderError } from '../failure.ts';

export interface RetryOptions<R> {
  readonly retry: RetryPolicy;
  readonly dependencyOf: (call: LlmCall) => string;
  /** The same answer, telling the client that trying again is of no use: it was tried. */
  readonly asLast: (answer: LlmAnswer<R>) => LlmAnswer<R>;
}

/** The policy sees a failed answer as a {@link ProviderError}; the caller gets the answer itself. */
export function retry<C extends LlmCall, R>({
  retry: policy,
  dependencyOf,
  asLast,
}: RetryOptions<R>): Middleware<C, LlmAnswer<R>> {
  // Not an async function, since that would be one more to wait for: what fails is looked at where it fails.
  return (call, next) => {
    if (!call.repeatable) return next(call);
    let failed: Failed<R> | undefined;
    const { signal } = call;
    const tries = policy.execute(
      async (attempt) => {
        failed?.answer.progress.refusal?.discard();
        failed = undefined;
        const again = attempt.attempt > 1 ? await renewed(call) : call;
        const answer = await next(attempt.signal === signal ? again : { ...again, attemptSignal: attempt.signal });
        const { refusal } = answer.progress;
        if (refusal === undefined) return answer;
        const { status, headers } = refusal;
        const error = new ProviderError(call.provider, { status, headers, body: await refusal.read() });
        failed = { answer, error };
        throw error;
      },
      signal === undefined ? { dependency: dependencyOf(call) } : { dependency: dependencyOf(call), signal },
    );
    return tries.then(undefined, (error: unknown) => {
      if (failed !== undefined && comesOf(error, failed.error)) return asLast(failed.answer);
      failed?.answer.progress.refusal?.discard();
      throw error;
    });
  };
}

/** The call for another try, with what it may use. */
export async function renewed<C extends LlmCall>(call: C): Promise<C> {
  if (call.renew !== undefined) return { ...call, maxOutputTokens: await call.renew() };
  const most = await call.outer?.renew?.();
  // The layer that reserved knows less of this request than who made it: it may ask for fewer.
  return most === undefined ? call : { ...call, maxOutputTokens: Math.min(call.maxOutputTokens ?? most, most) };
}

interface Failed<R> {
  readonly answer: LlmAnswer<R>;
  readonly error: ProviderError;
}

/** Policies may wrap the error of the last try, for instance where a budget is used up. */
function comesOf(error: unknown, cause: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < 5 && one !== undefined && one !== null; depth++) {
    if (one === cause) return true;
    one = (one as { cause?: unknown }).cause;
  }
  return false;
}
