/** Makes a decision of what a store found: its numbers at once, and the list of its rules for who reads it. */
import type { Clock } from '@sage-adk/core';
import type { CompiledRule } from './compile.ts';
import type { Decision, RuleState } from './decision.ts';
import type { OneAnswer } from './stores/one-rule.ts';
import type { Answer, AnswerSource, Finding } from './stores/store.ts';
import { remainingAt, resetUsAt } from './strategies/strategy.ts';

/** What is binding where no rule applies. */
const unbounded = {
  rule: { limit: Number.POSITIVE_INFINITY },
  remaining: Number.POSITIVE_INFINITY,
  resetAfterUs: 0,
  retryAfterUs: undefined,
};

/** A decision, with what is counted of it. */
export interface Concluded extends Decision {
  readonly findings: readonly Pick<Finding, 'rule' | 'allowed' | 'remaining'>[];
}

/** Sums up what a store found, with durations as times on the wall clock. */
export function conclude(answer: Answer, clock: Clock): Concluded {
  const { allowed, findings, source, atMs = clock.now() } = answer;
  const binding = (allowed ? undefined : longestWait(findings)) ?? tightest(findings) ?? unbounded;
  const sums = { waitUs: waitUsOf(binding), level: 0, resetAfterUs: binding.resetAfterUs, atUs: 0 };
  const about = { findings, atMs, limit: binding.rule.limit, remaining: remainingOf(binding) };
  return new Conclusion(allowed, sums, source, about, '', 0);
}

/** {@link conclude} for one enforced rule that was decided about at once. */
export function concludeOne(rule: CompiledRule, key: string, cost: number, answer: OneAnswer): Concluded {
  return new Conclusion(answer.waitUs === 0, answer, answer.source, rule, key, cost);
}

type Lists = Pick<Decision, 'rules' | 'violated' | 'shadowDenied'>;

interface Findings {
  readonly findings: readonly Finding[];
  readonly atMs: number;
  /** Of the binding rule, as what follows. */
  readonly limit: number;
  readonly remaining: number;
}

const none: readonly RuleState[] = Object.freeze([]);

/**
 * This is the hot path. So it is small: what follows from other members is made when it is read, the lists once. There is one class without a base, and
 * fractions are handed over in an object: as arguments each would be allocated.
 */
class Conclusion implements Concluded {
  readonly allowed: boolean;
  readonly #source: AnswerSource;
  readonly #about: CompiledRule | Findings;
  readonly #key: string;
  readonly #cost: number;
  readonly #level: number;
  readonly #resetAfterUs: number;
  readonly #atUs: number;
  /** Where it is not allowed. */
  readonly #waitUs: number | undefined;
  #lists: Lists | undefined;

  constructor(
    allowed: boolean,
    sums: Omit<OneAnswer, 'source'>,
    source: AnswerSource,
    about: CompiledRule | Findings,
    key: string,
    cost: number,
  ) {
    this.allowed = allowed;
    this.#source = source;
    this.#about = about;
    this.#key = key;
    this.#cost = cost;
    this.#level = sums.level;
    this.#resetAfterUs = sums.resetAfterUs;
    this.#atUs = sums.atUs;
    if (!allowed) this.#waitUs = sums.waitUs;
  }

  get limit(): number {
    return this.#about.limit;
  }

  get remaining(): number {
    const about = this.#about;
    if ('findings' in about) return about.remaining;
    return Math.min(remainingAt(about.strategy, this.#level), about.limit);
  }

  get resetAtMs(): number {
    const about = this.#about;
    if ('findings' in about) return about.atMs + Math.ceil(this.#resetAfterUs / 1_000);
    return this.#atUs / 1_000 + Math.ceil(resetUsAt(about.strategy, this.#level, this.#resetAfterUs) / 1_000);
  }

  get retryAfterMs(): number | undefined {
    const waitUs = this.#waitUs;
    if (waitUs === undefined) return 0;
    return waitUs === Number.POSITIVE_INFINITY ? undefined : waitUs / 1_000;
  }

  get source(): AnswerSource {
    return this.#source;
  }

  get degraded(): boolean {
    return isDegraded(this.#source);
  }

  get findings(): Concluded['findings'] {
    const about = this.#about;
    return 'findings' in about ? about.findings : [{ rule: about, allowed: this.allowed, remaining: this.remaining }];
  }

  get rules(): readonly RuleState[] {
    return (this.#lists ??= this.#list()).rules;
  }

  get violated(): readonly RuleState[] {
    return (this.#lists ??= this.#list()).violated;
  }

  get shadowDenied(): readonly RuleState[] {
    return (this.#lists ??= this.#list()).shadowDenied;
  }

  /** All of it, as a plain object. */
  toJSON(): Decision {
    const { allowed, rules, violated, shadowDenied, limit, remaining, resetAtMs, retryAfterMs, source, degraded } =
      this;
    return { allowed, rules, violated, shadowDenied, limit, remaining, resetAtMs, retryAfterMs, source, degraded };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Decision {
    return this.toJSON();
  }

  #list(): Lists {
    const about = this.#about;
    if ('findings' in about) return listsOf(about);
    const rules = [stateOf(about, this.#key, this.#cost, this)];
    return { rules, violated: this.allowed ? none : rules, shadowDenied: none };
  }
}

export function isDegraded(source: AnswerSource): boolean {
  return source === 'overflow' || source === 'local' || source === 'policy';
}

function listsOf({ findings, atMs }: Findings): Lists {
  const rules: RuleState[] = [];
  const violated: RuleState[] = [];
  const shadowDenied: RuleState[] = [];
  for (const finding of findings) {
    const state = stateOf(finding.rule, finding.key, finding.cost, {
      allowed: finding.allowed,
      remaining: remainingOf(finding),
      resetAtMs: atMs + Math.ceil(finding.resetAfterUs / 1_000),
      retryAfterMs: finding.retryAfterUs === undefined ? undefined : finding.retryAfterUs / 1_000,
    });
    rules.push(state);
    if (!state.allowed) (state.mode === 'enforce' ? violated : shadowDenied).push(state);
  }
  violated.sort((a, b) => waitOf(b) - waitOf(a));
  return { rules, violated, shadowDenied };
}

type Found = Pick<RuleState, 'allowed' | 'remaining' | 'resetAtMs' | 'retryAfterMs'>;

function stateOf(rule: CompiledRule, key: string, cost: number, found: Found): RuleState {
  return {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    mode: rule.mode,
    allowed: found.allowed,
    cost,
    limit: rule.limit,
    periodMs: rule.periodMs,
    period: rule.period,
    key,
    burst: rule.burst,
    remaining: found.remaining,
    resetAtMs: found.resetAtMs,
    retryAfterMs: found.retryAfterMs,
  };
}

function remainingOf({
  rule,
  remaining,
}: Pick<Finding, 'remaining'> & { readonly rule: { readonly limit: number } }): number {
  return Math.min(remaining, rule.limit);
}

/** The enforced rule that denied for longest; of equals the first. */
function longestWait(findings: readonly Finding[]): Finding | undefined {
  let found: Finding | undefined;
  for (const finding of findings) {
    if (finding.allowed || finding.rule.mode === 'shadow') continue;
    if (found === undefined || waitUsOf(finding) > waitUsOf(found)) found = finding;
  }
  return found;
}

/** The enforced rule with the least left in proportion. */
function tightest(findings: readonly Finding[]): Finding | undefined {
  let found: Finding | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const finding of findings) {
    const { rule } = finding;
    const share = remainingOf(finding) / Math.min(rule.limit, rule.burst);
    if (rule.mode === 'shadow' || share >= least) continue;
    found = finding;
    least = share;
  }
  return found;
}

function waitUsOf({ retryAfterUs = Number.POSITIVE_INFINITY }: Pick<Finding, 'retryAfterUs'>): number {
  return retryAfterUs;
}

function waitOf({ retryAfterMs = Number.MAX_VALUE }: RuleState): number {
  return retryAfterMs;
}
