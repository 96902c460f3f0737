import { rateLimitHeaders, type RateLimiter, type Reservation } from '@sage-adk/ratelimit';
import type { Exchange } from '../http/exchange.ts';
import { sendError } from '../http/respond.ts';
import { refusalOf } from './refusal.ts';

/** Whether a request may go on; where not, it has been answered, or its client is gone. */
export type Admit = (exchange: Exchange) => Promise<boolean>;

export interface Admission {
  readonly admit: Admit;
  /** Resolves when every slot that came back is known to the storage. */
  close(): Promise<void>;
}

/**
 * Asks the limits about each request.
 *
 * @param holds whether some count what runs at once. A slot is held until the answer is sent or given up and the work behind it is done.
 */
export function createAdmission(limiter: RateLimiter, holds: boolean): Admission {
  const settling = new Set<Promise<unknown>>();
  const admit: Admit = async (exchange) => {
    const { response, subject } = exchange;
    const outcome = holds ? await limiter.reserve(subject) : { decision: await limiter.check(subject) };
    const { decision } = outcome;
    const held = 'settle' in outcome ? outcome : undefined;
    // It has closed already: nobody would tell us again.
    if (response.destroyed) {
      await held?.cancel();
      return false;
    }
    if (!decision.allowed) {
      const refusal = refusalOf(decision);
      exchange.failed(refusal);
      sendError(response, refusal);
      return false;
    }
    for (const [name, value] of Object.entries(rateLimitHeaders(decision))) response.setHeader(name, value);
    if (held !== undefined) void giveBack(held, exchange, settling);
    return true;
  };
  return { admit, close: async () => void (await Promise.allSettled(settling)) };
}

async function giveBack(held: Reservation, exchange: Exchange, settling: Set<Promise<unknown>>): Promise<void> {
  await exchange.settled();
  const settled = held.settle();
  settling.add(settled);
  await settled.finally(() => settling.delete(settled));
}
