import { isSageError } from '@sage-adk/core';
import { errors as llmErrors } from '@sage-adk/llm';
import { createClassifier, type Reason } from '@sage-adk/recovery';
import { errors } from '../errors.ts';
import { decisionOf } from '../limits/refusal.ts';

/**
 * What a client is told where no answer came: what happened and what to do, in the words of this agent. What a provider or a store threw is its cause, for
 * the logs.
 *
 * @param seen whether something of the answer was there already.
 */
export function userError(error: unknown, seen: boolean): unknown {
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refusal;
  if (isSageError(error) && error.code.startsWith('SAGE_AGENT_')) return error;
  if (seen) return errors.ANSWER_CUT({}, { cause: error });
  if (isSageError(error, llmErrors.RESTING.code)) return errors.MODEL_RESTS({}, { cause: error });
  const { reason, waitMs } = classifier.classify(error);
  return (byReason[reason] ?? errors.MODEL_FAILED)({}, { cause: error, retryAfterMs: waitMs });
}

const classifier = createClassifier();

const byReason: Partial<Record<Reason, typeof errors.MODEL_FAILED | typeof errors.TOO_LONG>> = {
  rate_limited: errors.MODEL_BUSY,
  overloaded: errors.MODEL_BUSY,
  timeout: errors.MODEL_SLOW,
  deadline: errors.MODEL_SLOW,
  context_length: errors.TOO_LONG,
  content_policy: errors.DECLINED,
  auth: errors.MODEL_NOT_SET_UP,
  quota: errors.MODEL_NOT_SET_UP,
  config: errors.MODEL_NOT_SET_UP,
  not_found: errors.MODEL_NOT_SET_UP,
};

/** A limit that said no, also where it did so for every model of a chain: the last of them. */
function refusalIn(error: unknown): unknown {
  if (decisionOf(error) !== undefined) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (decisionOf(cause) !== undefined) return cause;
  if (!(cause instanceof AggregateError)) return undefined;
  return cause.errors.every((one) => decisionOf(one) !== undefined) ? cause.errors.at(-1) : undefined;
}
