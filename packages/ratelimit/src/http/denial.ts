import type { Decision } from '../decision.ts';
import { wantsProblem } from './accept.ts';
import { rateLimitBody } from './body.ts';
import { rateLimitProblem } from './problem.ts';
import { refusalOf } from './refusal.ts';

/** The answer to a call that is denied, ready to be sent. The fields of the decision are sent with it. */
export interface Denial {
  /** 429; 422 where the cost can never fit; 503 where nobody could decide and a rule's policy for that is to deny. */
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
  const refusal = refusalOf(decision);
  if (refusal === undefined) return undefined;
  const problem = wantsProblem(accept);
  return {
    status: refusal.status,
    contentType: `application/${problem ? 'problem+json' : 'json'}; charset=utf-8`,
    body: JSON.stringify(problem ? rateLimitProblem(decision) : rateLimitBody(decision)),
    decision,
  };
}
