/** Tells observers of each call: when it began and ended, what it used, what it cost, how it failed. Changes nothing of it. */
import type { PricePort } from '@sage-adk/core';
import type { LlmAnswer, LlmCall } from '../call.ts';
import { InnerReport, OwnReport } from './report.ts';

export interface ObserveOptions<R> {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort | undefined;
  /** What this layer does, so that layers inside leave it to it. */
  readonly steps: ReadonlySet<string>;
  /** What the client gets in place of an error; throws the error where that is it. */
  readonly instead: (error: unknown) => R;
}

/** The outermost layer reports the call; one inside tells that layer what it learned. As the first step it ends with what the client gets. */
export function observe<C extends LlmCall, R>({
  price,
  steps,
  instead,
}: ObserveOptions<R>): (call: C, next: (call: C) => Promise<LlmAnswer<R>>) => Promise<R> {
  return async (call, next) => {
    const report =
      call.outer === undefined ? new OwnReport(call, steps, price) : new InnerReport(call, steps, call.outer);
    call.report = report;
    let answer: LlmAnswer<R>;
    try {
      answer = await next(call);
    } catch (error) {
      report.failed(error);
      return instead(error);
    }
    report.answered(answer.progress);
    return answer.result;
  };
}
