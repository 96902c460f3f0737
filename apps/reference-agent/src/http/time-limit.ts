import { type Clock, current, type Timer } from '@sage-adk/core';
import { wheelOf } from '@sage-adk/core/deadline';
import { errors } from '../errors.ts';
import type { Exchange } from './exchange.ts';

/** What the client does not read for so long after the deadline is cut. */
const graceMs = 5_000;

/** Gives the exchange up at the context's deadline, and cuts its connection where even the news of that is not read. */
export function endInTime(exchange: Exchange, clock: Clock): Timer {
  const deadlineMs = current()?.deadlineMs ?? Number.POSITIVE_INFINITY;
  const timeoutMs = Math.max(0, Math.round(deadlineMs - clock.monotonicMs()));
  const wheel = wheelOf(clock);
  let timer = wheel.schedule(() => {
    exchange.abort(errors.DEADLINE({ timeoutMs }));
    timer = wheel.schedule(() => exchange.response.destroy(), deadlineMs + graceMs);
  }, deadlineMs);
  return { cancel: () => timer.cancel() };
}
