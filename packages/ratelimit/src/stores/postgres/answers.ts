/** The numbers that functions answer with, as answers. */
import type { Answer, Ask, Finding, Settlement } from '../store.ts';

/** Allowed, 1 for repeated or 2 for gone, delay; for each ask its wait (-1 for never), what remains, when it resets. */
export function toAnswer(asks: readonly Ask[], numbers: readonly number[]): Answer {
  const [allowed, remark, delayUs = 0] = numbers;
  return {
    allowed: allowed === 1,
    findings: asks.map((ask, index) => toFinding(ask, numbers, 3 + index * 3)),
    delayUs,
    ...(remark === 1 && { repeated: true }),
    ...(remark === 2 && { gone: true }),
    source: 'store',
  };
}

/** Whether any part was there; for each ask the units beyond its limit, and what its part held, -1 where there was none. */
export function toSettlement(
  asks: readonly Ask[],
  [settled, ...parts]: readonly number[],
): Settlement & { readonly held: readonly (number | undefined)[] } {
  return {
    settled: settled === 1,
    over: asks.map((_, index) => parts[2 * index] ?? 0),
    held: asks.map((_, index) => (parts[2 * index + 1] === -1 ? undefined : parts[2 * index + 1])),
  };
}

function toFinding({ rule, key, cost }: Ask, numbers: readonly number[], from: number): Finding {
  const [waitUs = 0, remaining = 0, resetAfterUs = 0] = numbers.slice(from, from + 3);
  return {
    rule,
    key,
    cost,
    allowed: waitUs === 0,
    remaining,
    resetAfterUs,
    retryAfterUs: waitUs < 0 ? undefined : waitUs,
  };
}
