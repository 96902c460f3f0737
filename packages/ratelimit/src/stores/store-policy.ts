/** What each rule's policy says while a shared store does not answer. */
import type { CompiledRule } from '../compile.ts';
import { mostParts } from '../strategies/bucket.ts';
import type { CompiledStrategy } from '../strategies/strategy.ts';
import type { Answer, Ask, DecideRequest, Finding, SyncLimiterStore } from './store.ts';

/** Answers in the store's place. */
export interface StandIn {
  /** Decisions in this process, for rules whose policy is `local`. */
  readonly local: SyncLimiterStore;
  /** Processes that share the store: each may spend that part of a limit. */
  readonly instances: number;
  /** When the store will be asked again; what a closed rule tells to wait. */
  readonly retryAfterUs: number;
}

/**
 * Denies where a rule is `closed`; else counts the rules that are `local` with this process's share of their limits, and lets the others pass.
 * A charge to a reservation that the store made is counted as one of its own.
 */
export function decideWithout(request: DecideRequest, { local, instances, retryAfterUs }: StandIn): Answer {
  const { asks } = request;
  const isClosed = ({ rule }: Ask): boolean => rule.onStoreError === 'closed' && rule.mode === 'enforce';
  if (asks.some(isClosed) && request.kind !== 'lower' && !('force' in request)) {
    const findings = asks.map((ask) => pass(ask, isClosed(ask) ? retryAfterUs : 0));
    return { allowed: false, findings, delayUs: 0, source: 'policy' };
  }
  const counted = asks.filter(({ rule }) => rule.onStoreError === 'local');
  if (counted.length === 0)
    return { allowed: true, findings: asks.map((ask) => pass(ask, 0)), delayUs: 0, source: 'policy' };
  const scaled = sharesOf(counted, instances);
  const answer = local.decide(
    request.kind === 'charge' ? { kind: 'consume', asks: scaled } : { ...request, asks: scaled },
  );
  const byRule = new Map(answer.findings.map((finding) => [finding.rule.id, finding]));
  return { ...answer, findings: asks.map((ask) => byRule.get(ask.rule.id) ?? pass(ask, 0)), source: 'local' };
}

/** The asks with this process's share of each limit. */
export function sharesOf(asks: readonly Ask[], instances: number): readonly Ask[] {
  return asks.map((ask) => ({ ...ask, rule: shareOf(ask.rule, instances) }));
}

/** The rule with a part of its limit, at least one unit. */
function shareOf(rule: CompiledRule, instances: number): CompiledRule {
  const known = shares.get(rule);
  if (known !== undefined && known.instances === instances) return known.share;
  const part = (units: number): number => Math.max(1, Math.floor(units / instances));
  const strategy = shareStrategy(rule.strategy, instances, part);
  const share = { ...rule, strategy, limit: part(rule.limit), burst: part(rule.burst) };
  shares.set(rule, { instances, share });
  return share;
}

const shares = new WeakMap<CompiledRule, { readonly instances: number; readonly share: CompiledRule }>();

function shareStrategy(
  strategy: CompiledStrategy,
  instances: number,
  part: (units: number) => number,
): CompiledStrategy {
  if (strategy.kind !== 'bucket') return { ...strategy, limit: part(strategy.limit) };
  const { weight, drain, burst, queue } = strategy;
  // A unit weighs so much more that it drains that much more slowly.
  const heavier = Math.min(weight * instances, Math.floor(mostParts / (part(burst) + queue)));
  return { kind: 'bucket', weight: heavier, drain, burst: part(burst), queue: Math.floor(queue / instances) };
}

function pass({ rule, key, cost }: Ask, retryAfterUs: number): Finding {
  const allowed = retryAfterUs === 0;
  return { rule, key, cost, allowed, remaining: allowed ? rule.burst : 0, resetAfterUs: retryAfterUs, retryAfterUs };
}
