/** Makes a decision of what a store found: its numbers at once, and the list of its rules for who reads it. */
import type { Clock } from '@sage-adk/core';
import type { CompiledRule } from './compile.ts';
import type { Decision, RuleState } from './decision.ts';
import type { OneAnswer } from './stores/one-rule.ts';
import type { Answer, AnswerSource, Finding } from './stores/store.ts';
import { remainingAt, resetUsAt } from './strategies/strategy.ts';

/** A decision of this package, with what its lists are made of. */
export interface Concluded extends Decision {
  readonly findings: readonly Finding[];
}

/** Sums up what a store found, with durations as times on the wall clock. */
export function conclude(answer: Answer, clock: Clock): Concluded {
  const { allowed, findings, source, atMs = clock.now() } = answer;
  return new Conclusion(allowed, unmeasured, source, new Several(findings, allowed, atMs), '', 0);
}

/** {@link conclude} for one enforced rule that was decided about at once. */
export function concludeOne(rule: CompiledRule, key: string, cost: number, answer: OneAnswer): Concluded {
  return new Conclusion(answer.waitUs === 0, answer, answer.source, rule, key, cost);
}

const unmeasured = { waitUs: 0, level: 0, resetAfterUs: 0, atUs: 0 };

type Binding = Pick<Finding, 'remaining' | 'resetAfterUs' | 'retryAfterUs'> & {
  readonly rule: Pick<CompiledRule, 'limit'>;
};

/** What is binding where no rule applies. */
const unbounded: Binding = {
  rule: { limit: Number.POSITIVE_INFINITY },
  remaining: Number.POSITIVE_INFINITY,
  resetAfterUs: 0,
  retryAfterUs: undefined,
};

/** Several findings; which of them is binding is looked up when somebody asks, for most reservations nobody does. */
class Several {
  readonly findings: readonly Finding[];
  readonly atMs: number;
  readonly #allowed: boolean;
  #binding: Binding | undefined;

  constructor(findings: readonly Finding[], allowed: boolean, atMs: number) {
    this.findings = findings;
    this.#allowed = allowed;
    this.atMs = atMs;
  }

  get binding(): Binding {
    return (this.#binding ??=
      (this.#allowed ? undefined : longestWait(this.findings)) ?? tightest(this.findings) ?? unbounded);
  }
}

type Lists = Pick<Decision, 'rules' | 'violated' | 'shadowDenied'>;

/**
 * This is the hot path. So it is small: what follows from other members is made when it is read, the lists once. There is one class without a base, and
 * fractions are handed over in an object: as arguments each would be allocated.
 */
class Conclusion implements Concluded {
  readonly allowed: boolean;
  readonly #source: AnswerSource;
  readonly #about: CompiledRule | Several;
  readonly #key: string;
  readonly #cost: number;
  readonly #level: number;
  readonly #resetAfterUs: number;
  readonly #atUs: number;
  /** Of one rule that does not allow. */
  readonly #waitUs: number | undefined;
  #lists: Lists | undefined;

  constructor(
    allowed: boolean,
    sums: Omit<OneAnswer, 'source'>,
    source: AnswerSource,
    about: CompiledRule | Several,
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
    const about = this.#about;
    return 'findings' in about ? about.binding.rule.limit : about.limit;
  }

  get remaining(): number {
    const about = this.#about;
    if ('findings' in about) return remainingOf(about.binding);
    return Math.min(remainingAt(about.strategy, this.#level), about.limit);
  }

  get resetAtMs(): number {
    return this.#atMs + Math.ceil(this.#resetUs / 1_000);
  }

  get retryAfterMs(): number | undefined {
    const waitUs = this.allowed ? 0 : this.#retryUs;
    return waitUs === undefined ? undefined : waitUs / 1_000;
  }

  get source(): AnswerSource {
    return this.#source;
  }

  get degraded(): boolean {
    return isDegraded(this.#source);
  }

  get rules(): readonly RuleState[] {
    return (this.#lists ??= listsOf(this.findings, this.#atMs)).rules;
  }

  get violated(): readonly RuleState[] {
    return (this.#lists ??= listsOf(this.findings, this.#atMs)).violated;
  }

  get shadowDenied(): readonly RuleState[] {
    return (this.#lists ??= listsOf(this.findings, this.#atMs)).shadowDenied;
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

  get findings(): readonly Finding[] {
    const about = this.#about;
    if ('findings' in about) return about.findings;
    const { allowed, remaining } = this;
    const retryAfterUs = allowed ? 0 : this.#retryUs;
    return [
      { rule: about, key: this.#key, cost: this.#cost, allowed, remaining, resetAfterUs: this.#resetUs, retryAfterUs },
    ];
  }

  get #atMs(): number {
    const about = this.#about;
    return 'findings' in about ? about.atMs : this.#atUs / 1_000;
  }

  get #resetUs(): number {
    const about = this.#about;
    if ('findings' in about) return about.binding.resetAfterUs;
    return resetUsAt(about.strategy, this.#level, this.#resetAfterUs);
  }

  get #retryUs(): number | undefined {
    const about = this.#about;
    if ('findings' in about) return about.binding.retryAfterUs;
    return this.#waitUs === Number.POSITIVE_INFINITY ? undefined : this.#waitUs;
  }
}

/** Whether somebody else than the store answered, or more strictly than the rules. */
export function isDegraded(source: AnswerSource): boolean {
  return source === 'overflow' || source === 'local' || source === 'policy';
}

function listsOf(findings: readonly Finding[], atMs: number): Lists {
  const rules: RuleState[] = [];
  const violated: RuleState[] = [];
  const shadowDenied: RuleState[] = [];
  for (const finding of findings) {
    const state = stateOf(finding, atMs);
    rules.push(state);
    if (!state.allowed) (state.mode === 'enforce' ? violated : shadowDenied).push(state);
  }
  violated.sort((a, b) => waitOf(b) - waitOf(a));
  return { rules, violated, shadowDenied };
}

function stateOf(finding: Finding, atMs: number): RuleState {
  const { rule, key, cost, allowed, resetAfterUs, retryAfterUs } = finding;
  return {
    rule: rule.name,
    unit: rule.unit,
    scope: rule.scope,
    mode: rule.mode,
    allowed,
    cost,
    limit: rule.limit,
    periodMs: rule.periodMs,
    period: rule.period,
    key,
    burst: rule.burst,
    remaining: remainingOf(finding),
    resetAtMs: atMs + Math.ceil(resetAfterUs / 1_000),
    retryAfterMs: retryAfterUs === undefined ? undefined : retryAfterUs / 1_000,
  };
}

function remainingOf({ rule, remaining }: Pick<Binding, 'rule' | 'remaining'>): number {
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
