/** Tells observers of each call: when it began and ended, what it used, what it cost, how it failed. Changes nothing of it. */
import type { Middleware, PricePort } from '@sage-adk/core';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { InnerReport, OwnReport } from './report.ts';

export interface ObserveOptions {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort | undefined;
  /** What this layer does, so that layers inside leave it to it. */
  readonly steps: ReadonlySet<string>;
}

/** The outermost layer reports the call; one inside tells that layer what it learned. */
export function observe<C extends LlmCall, R>({ price, steps }: ObserveOptions): Middleware<C, LlmAnswer<R>> {
  return async (call, next) => {
    const report =
      call.outer === undefined ? new OwnReport(call, steps, price) : new InnerReport(call, steps, call.outer);
    call.report = report;
    let answer: LlmAnswer<R>;
    try {
      answer = await next(call);
    } catch (error) {
      report.failed(error);
      throw error;
    }
    report.answered(answer.progress);
    return answer;
  };
}
