import { type Decision, errorOf } from '../decision.ts';
import { wantsProblem } from './accept.ts';
import { rateLimitBody } from './body.ts';
import { rateLimitProblem } from './problem.ts';

/** The answer to a call that is denied, ready to be sent. The fields of the decision are sent with it. */
export interface Denial {
  /** 429; 422 where the cost can never fit. */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly decision: Decision;
}

/**
 * The answer to a call that a decision denies; undefined where it allows it.
 *
 * @param accept the client's `Accept` field: who names `application/problem+json` gets problem details, anybody else the plain body.
 */
export function denialOf(decision: Decision, accept: string | undefined): Denial | undefined {
  if (decision.allowed) return undefined;
  const status = errorOf(decision)?.status ?? 429;
  const problem = wantsProblem(accept);
  return {
    status,
    contentType: `application/${problem ? 'problem+json' : 'json'}; charset=utf-8`,
    body: JSON.stringify(problem ? rateLimitProblem(decision) : rateLimitBody(decision)),
    decision,
  };
}
