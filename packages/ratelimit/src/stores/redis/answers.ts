/** What scripts reply, as answers. */
import type { Answer, Ask, Finding } from '../store.ts';

/** Allowed, delay, 1 for repeated or 2 for gone; for each ask its wait (-1 for never), what remains, when it resets. Or only the latter two, where all fit. */
export type Reply = readonly number[];

/** @param order which ask each part of the reply is about. */
export function toAnswer(asks: readonly Ask[], order: readonly number[], reply: Reply): Answer {
  const findings: Finding[] = [];
  const fits = reply.length === 2 * asks.length;
  let at = fits ? 0 : 3;
  for (const n of order) {
    const ask = asks[n];
    const wait = fits ? 0 : reply[at++];
    if (ask !== undefined) findings[n] = toFinding(ask, wait, reply[at], reply[at + 1]);
    at += 2;
  }
  if (fits) return { allowed: true, findings, delayUs: 0, source: 'store' };
  const [allowed = 0, delayUs = 0, note = 0] = reply;
  return {
    allowed: allowed === 1,
    findings,
    delayUs,
    ...(note === 1 && { repeated: true }),
    ...(note === 2 && { gone: true }),
    source: 'store',
  };
}

function toFinding({ rule, key, cost }: Ask, waitUs = 0, remaining = 0, resetAfterUs = 0): Finding {
  const retryAfterUs = waitUs < 0 ? undefined : waitUs;
  return { rule, key, cost, allowed: waitUs === 0, remaining, resetAfterUs, retryAfterUs };
}
