import { createSeededRandom } from '@sage-adk/core/testing';
import type { CompiledRule } from '../compile.ts';
import type { Rule } from '../rule.ts';
import type { Ask, DecideRequest, ExtendRequest, SettleRequest } from '../stores/store.ts';
import { type Asker, asker, idOf } from './subject.ts';

/** A sequence of calls and pauses, the same for the same seed. */
export interface Trace {
  /** As they are in its first half. In the second their limits are others. */
  readonly rules: readonly Asker[];
  readonly steps: readonly TraceStep[];
}

/** What comes after a pause. */
export interface TraceStep {
  readonly pauseUs: number;
  readonly call:
    | { readonly name: 'decide'; readonly request: DecideRequest }
    | { readonly name: 'settle'; readonly request: SettleRequest }
    | { readonly name: 'extend'; readonly request: ExtendRequest }
    | { readonly name: 'reset'; readonly asks: readonly Ask[] };
}

const users = ['ada', 'bob'];
const ids = ['a', 'b', 'c', 'd', 'e'];

/** Makes a trace that stays around the limits of its rules: full, half full, a microsecond to either side. */
export function randomTrace(seed: number, length: number): Trace {
  const random = createSeededRandom(seed);
  const pick = <T>(choices: readonly [T, ...T[]] | readonly T[]): T =>
    choices[Math.floor(random() * choices.length)] as T;
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const drafts = Array.from({ length: 1 + upTo(3) }, (_, index) => ({ ...ruleOf(pick, upTo), name: `rule${index}` }));
  const rules = drafts.map((draft) => asker(draft));
  const held = new Map<string, readonly Ask[]>();

  const asksOf = (scale: number): readonly Ask[] => {
    const user = pick(users);
    return rules.map((ask) => ask(costOf(ask, scale, upTo), user));
  };
  const callOf = (): TraceStep['call'] => {
    const kind = upTo(99);
    const id = pick(ids);
    const known = held.get(id);
    if (kind < 35) return { name: 'decide', request: { kind: 'consume', asks: asksOf(4), force: kind < 2 } };
    if (kind < 45) return { name: 'decide', request: { kind: 'peek', asks: asksOf(2) } };
    if (kind < 47) return { name: 'decide', request: { kind: 'lower', asks: asksOf(1) } };
    if (kind < 48) return { name: 'reset', asks: asksOf(1) };
    if (kind < 70 || known === undefined) {
      const asks = known ?? asksOf(3);
      held.set(id, asks);
      const [ttlUs, maxWaitUs] = [pick([1_000, 700_000, 30_000_000]), pick([0, 500_000, 60_000_000])];
      return { name: 'decide', request: { kind: 'reserve', asks, id: idOf(id), ttlUs, maxWaitUs } };
    }
    if (kind < 76) return { name: 'decide', request: { kind: 'charge', asks: again(known, 6, upTo), id: idOf(id) } };
    if (kind < 80) return { name: 'extend', request: { asks: known, id: idOf(id), ttlUs: pick([1, 400_000]) } };
    held.delete(id);
    return { name: 'settle', request: { asks: again(known, 2, upTo), id: idOf(id) } };
  };
  const steps = Array.from({ length }, () => ({ pauseUs: pauseOf(pick, upTo), call: callOf() }));
  const changed = new Map(drafts.map((draft, index) => [rules[index]?.rule, changedRule(draft, pick)]));
  // A store in memory knows of another limit once it was asked about it, and not by what is settled.
  const asked: TraceStep = { pauseUs: 0, call: { name: 'decide', request: { kind: 'peek', asks: asksOf(1) } } };
  const second = [asked, ...steps.slice(length / 2)].map((step) => underRules(step, changed));
  return { rules, steps: [...steps.slice(0, length / 2), ...second] };
}

/** The rule with another limit: what was used under the first one counts under this one. */
function changedRule(draft: Partial<Rule>, pick: Pick): CompiledRule {
  const { limit = 1, burst } = draft;
  const times = (factor: number, units: number): number => Math.max(1, Math.ceil(units * factor));
  const factor = pick([0.3, 0.7, 1.5, 3]);
  return asker({ ...draft, limit: times(factor, limit), ...(burst !== undefined && { burst: times(factor, burst) }) })
    .rule;
}

/** The same step about other rules. */
function underRules(
  { pauseUs, call }: TraceStep,
  rules: ReadonlyMap<CompiledRule | undefined, CompiledRule>,
): TraceStep {
  const changed = (asks: readonly Ask[]): readonly Ask[] =>
    asks.map((ask) => ({ ...ask, rule: rules.get(ask.rule) ?? ask.rule }));
  if (call.name === 'reset') return { pauseUs, call: { ...call, asks: changed(call.asks) } };
  return {
    pauseUs,
    call: { ...call, request: { ...call.request, asks: changed(call.request.asks) } } as TraceStep['call'],
  };
}

type Pick = <T>(choices: readonly T[]) => T;
type UpTo = (most: number) => number;

function ruleOf(pick: Pick, upTo: UpTo): Partial<Rule> {
  const limit = pick([1, 2, 7, 60, 128, 129, 1_000, 1_000_003, 5_000_000_000]);
  const per = pick(['second', 'minute', 'hour', { ms: 997 }] as const);
  const mode = pick(['enforce', 'enforce', 'enforce', 'shadow'] as const);
  const common = { limit, per, mode };
  switch (upTo(8)) {
    case 0:
      return { ...common, burst: 1 + upTo(2 * limit) };
    case 1:
      return { ...common, strict: true };
    case 2:
      return { ...common, strategy: 'leaky-bucket', burst: 1 + upTo(3), maxQueue: upTo(4) };
    case 3:
      return { ...common, strategy: 'fixed-window', onExpiry: pick(['charge', 'return']) };
    case 4:
      return { ...common, strategy: 'fixed-window', anchored: true };
    case 5:
      return { limit, mode, per: pick(['calendar-day', 'calendar-month']), timeZone: 'America/New_York' };
    case 6:
      return { ...common, strategy: 'sliding-window', onExpiry: pick(['charge', 'return']) };
    case 7:
      return { limit: 1 + upTo(4), mode, unit: 'concurrency' };
    default:
      return common;
  }
}

function costOf({ rule }: Asker, scale: number, upTo: UpTo): number {
  if (rule.strategy.kind === 'slots') return 1;
  return upTo(5) === 0 ? upTo(rule.limit + 1) : Math.ceil((rule.limit * upTo(100)) / (100 * scale * 2));
}

/** The same rules and keys, with about as much. */
function again(asks: readonly Ask[], part: number, upTo: UpTo): readonly Ask[] {
  return asks.map((ask) => ({
    ...ask,
    cost: ask.rule.strategy.kind === 'slots' ? 0 : Math.ceil((ask.cost * upTo(3)) / part),
  }));
}

function pauseOf(pick: Pick, upTo: UpTo): number {
  return pick([0, 0, 0, 1, upTo(1_000), upTo(100_000), upTo(2_000_000), upTo(90_000_000)]);
}
