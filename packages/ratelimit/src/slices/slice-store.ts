/**
 * Quota of shared limits, taken ahead in slices: most decisions are made in this process, in microseconds, and no limit is ever exceeded.
 *
 * A slice is a reservation that a process makes for calls to come. It may be spent for a short time only, and the rule is asked of the store in a form
 * that keeps its promise although spending comes later than charging (see `sliceRule`). What is not spent in that time is given back; what a process
 * that dies has taken is lost to the others until the limit has forgotten it.
 */
import { type Clock, requireNumber, requireWhole, systemClock } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';
import { observedDecide, tellsItself } from '../stores/observed.ts';
import type {
  Answer,
  AnswerSource,
  Ask,
  DecideRequest,
  ExtendRequest,
  Finding,
  Holding,
  LimiterStore,
  Settlement,
  SettleRequest,
} from '../stores/store.ts';
import type { OneRule } from '../stores/one-rule.ts';
import { OneSliced } from './one-sliced.ts';
import type { Taken } from './slice.ts';
import { SliceLine } from './slice-line.ts';
import { type SlicedRule, sliceRule } from './sliceable.ts';

/** Options of {@link sliceStore}. */
export interface SliceOptions {
  /** Names of the rules that are sliced, the same in every process that shares them. Those of concurrency, with a queue, or with `onExpiry: 'return'` are refused. One with a burst of 1 is asked of the store as it is. */
  readonly rules: readonly string[];
  /**
   * How long a slice may be spent, the same in every process; of a sliding window up to a two-hundredth of the period longer.
   *
   * @default a hundredth of a sliding window's period, a twentieth of another rule's; at most 250 ms
   */
  readonly validityMs?: number;
  /** Largest part of a limit that one slice takes, above 0 and at most 1. @default 0.05 */
  readonly largestShare?: number;
  /** Most keys that slices are held of; the oldest gives its back for a new one. @default 10_000 */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/**
 * Puts slices before a shared store, guarded or not. Only `check` is answered from slices; reservations are made by the store. `peek` asks the store and
 * adds what is left of the slices of this process; what others hold is used. What the store is asked is an operation `limiter.check`, what a slice
 * answers is none.
 *
 * @example
 * ```ts
 * const store = sliceStore(guardStore(createRedisStore({ client })), { rules: ['global'] });
 * ```
 */
export function sliceStore(store: LimiterStore, options: SliceOptions): LimiterStore {
  return new SliceStore(store, options);
}

/** What a decision took from slices. */
type Loot = Map<Ask, Taken>;

class SliceStore implements LimiterStore {
  readonly kind: string;
  readonly #store: LimiterStore;
  readonly #decide: LimiterStore['decide'];
  readonly #names: ReadonlySet<string>;
  readonly #validityMs: number | undefined;
  readonly #largestShare: number;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  readonly #sliced = new WeakMap<CompiledRule, SlicedRule | undefined>();
  readonly #lines = new Map<string, SliceLine>();

  constructor(
    store: LimiterStore,
    { rules, validityMs, largestShare = 0.05, maxKeys = 10_000, clock = systemClock }: SliceOptions,
  ) {
    this.kind = store.kind;
    this.#store = store;
    this.#decide = observedDecide(store);
    tellsItself(this);
    this.#names = new Set(rules);
    this.#validityMs = validityMs === undefined ? undefined : requireNumber('validityMs', validityMs, 0.001);
    this.#largestShare = requireNumber('largestShare', largestShare, 0.000_001, 1);
    this.#maxKeys = requireWhole('maxKeys', maxKeys, 1);
    this.#clock = clock;
  }

  requireRule(rule: CompiledRule): void {
    this.#slicedOf(rule);
    this.#store.requireRule?.(rule);
  }

  decide(request: DecideRequest): Answer | Promise<Answer> {
    const { kind, asks } = request;
    // Somebody else says what is left; what was taken ahead is no longer.
    if (kind === 'lower') this.#forget(asks);
    if (kind === 'peek') return this.#peek(asks);
    const fromSlices = kind === 'consume' && request.force !== true && asks.some(({ rule }) => this.#isSliced(rule));
    if (!fromSlices) return this.#decide({ ...request, asks: this.#adapt(asks) });
    const loot: Loot = new Map();
    for (const ask of asks) keep(loot, ask, this.#lineOf(ask)?.take(ask.cost));
    return loot.size === asks.length ? this.#answer(asks, []) : this.#decideWithStore(asks, loot);
  }

  /** The short way to a decision about one sliced rule. */
  one(rule: CompiledRule): OneRule | undefined {
    return this.#names.has(rule.name) ? new OneSliced(rule, (key) => this.#lineOf({ rule, key })) : undefined;
  }

  settle(request: SettleRequest): Settlement | Promise<Settlement> {
    return this.#store.settle({ ...request, asks: this.#adapt(request.asks) });
  }

  extend({ id, asks, ttlUs }: ExtendRequest): boolean | Promise<boolean> {
    return this.#store.extend({ id, asks: this.#adapt(asks), ttlUs });
  }

  /** What other processes have taken ahead may still be spent, as long as their slices last. */
  reset(asks: readonly Ask[]): void | Promise<void> {
    this.#forget(asks);
    return this.#store.reset(this.#adapt(asks));
  }

  snapshot(rules: readonly CompiledRule[], limit: number): readonly Holding[] | Promise<readonly Holding[]> {
    return this.#store.snapshot(
      rules.map((rule) => this.#adaptRule(rule)),
      limit,
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
    this.#lines.clear();
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What is here is left for a check, though the store counts it as used. */
  async #peek(asks: readonly Ask[]): Promise<Answer> {
    const answer = await this.#decide({ kind: 'peek', asks: this.#adapt(asks) });
    const findings = answer.findings.map((finding, n) => {
      const ask = asks[n];
      if (ask === undefined || !this.#isSliced(ask.rule)) return finding;
      return withSlices(finding, ask, this.#lines.get(placeOf(ask.rule, ask.key))?.left);
    });
    const allowed = findings.every((finding) => finding.allowed || finding.rule.mode === 'shadow');
    return { ...answer, findings, allowed };
  }

  /** Spends nothing more of what is here; it stays charged. */
  #forget(asks: readonly Ask[]): void {
    for (const { rule, key } of asks) this.#lines.get(placeOf(rule, key))?.forget();
  }

  #putBack(loot: Loot): void {
    for (const [ask, taken] of loot) this.#lineOf(ask)?.putBack(taken);
  }

  /** Waits for what is lacking, then asks the store about the rules that are not sliced. All or nothing: what was taken goes back where one denies. */
  async #decideWithStore(asks: readonly Ask[], loot: Loot): Promise<Answer> {
    try {
      const answer = await this.#complete(asks, loot);
      if (!answer.allowed) this.#putBack(loot);
      return answer;
    } catch (error) {
      this.#putBack(loot);
      throw error;
    }
  }

  async #complete(asks: readonly Ask[], loot: Loot): Promise<Answer> {
    const askedAtMs = this.#clock.monotonicMs();
    const shadowed: Ask[] = [];
    for (const ask of asks) {
      const line = loot.has(ask) ? undefined : this.#lineOf(ask);
      if (line === undefined) continue;
      const got = line.take(ask.cost) ?? (await line.obtain(ask.cost, askedAtMs));
      if (got !== 'denied') keep(loot, ask, got);
      else if (ask.rule.mode === 'enforce') return this.#answer(asks, [ask]);
      else shadowed.push(ask);
    }
    const rest = asks.filter((ask) => !loot.has(ask) && !shadowed.includes(ask));
    if (rest.length === 0) return this.#answer(asks, shadowed);
    const answer = await this.#decide({ kind: 'consume', asks: this.#adapt(rest), askedAtMs });
    const byRule = new Map(answer.findings.map((finding) => [finding.rule.id, finding]));
    const findings = asks.flatMap((ask) => {
      const known = byRule.get(ask.rule.id);
      if (known !== undefined || rest.includes(ask)) return known ?? [];
      return this.#lineOf(ask)?.finding(ask, !shadowed.includes(ask)) ?? [];
    });
    return { ...answer, findings };
  }

  #answer(asks: readonly Ask[], denied: readonly Ask[]): Answer {
    const findings: Finding[] = [];
    let source: AnswerSource = 'slice';
    for (const ask of asks) {
      const line = this.#lineOf(ask);
      // Of a rule that is not sliced nothing is known: another one denied before it was asked.
      if (line === undefined) continue;
      findings.push(line.finding(ask, !denied.includes(ask)));
      if (line.source !== 'slice') source = line.source;
    }
    return { allowed: denied.every(({ rule }) => rule.mode === 'shadow'), findings, delayUs: 0, source };
  }

  /** Undefined for a rule that is not sliced. */
  #lineOf({ rule, key }: Pick<Ask, 'rule' | 'key'>): SliceLine | undefined {
    const sliced = this.#slicedOf(rule);
    if (sliced === undefined) return undefined;
    const place = placeOf(rule, key);
    const known = this.#lines.get(place);
    known?.follow(sliced);
    if (known !== undefined) return known;
    for (const [oldest, line] of this.#lines) {
      if (this.#lines.size < this.#maxKeys) break;
      this.#lines.delete(oldest);
      void line.close();
    }
    const [store, decide, largestShare, clock] = [this.#store, this.#decide, this.#largestShare, this.#clock];
    const line = new SliceLine(sliced, { store, decide, key, largestShare, clock });
    this.#lines.set(place, line);
    return line;
  }

  #isSliced(rule: CompiledRule): boolean {
    return this.#slicedOf(rule) !== undefined;
  }

  #adapt(asks: readonly Ask[]): readonly Ask[] {
    return asks.map((ask) => ({ ...ask, rule: this.#adaptRule(ask.rule) }));
  }

  #adaptRule(rule: CompiledRule): CompiledRule {
    return this.#slicedOf(rule)?.rule ?? rule;
  }

  /** Undefined for a rule that the store is asked about as it is. */
  #slicedOf(rule: CompiledRule): SlicedRule | undefined {
    const known = this.#sliced.get(rule);
    if (known !== undefined || this.#sliced.has(rule)) return known;
    const sliced = this.#names.has(rule.name) ? sliceRule(rule, this.#validityMs) : undefined;
    this.#sliced.set(rule, sliced);
    return sliced;
  }
}

function keep(loot: Loot, ask: Ask, taken: Taken | undefined): void {
  if (taken !== undefined) loot.set(ask, taken);
}

/** What the store found, and what check would answer where so much is left in slices. */
function withSlices(found: Finding, { rule, key, cost }: Ask, left = 0): Finding {
  const remaining = Math.min(rule.burst, found.remaining + left);
  return cost <= left
    ? { ...found, rule, key, remaining, allowed: true, retryAfterUs: 0 }
    : { ...found, rule, key, remaining };
}

function placeOf(rule: CompiledRule, key: string): string {
  return `${rule.id} ${key}`;
}
