import type { Answer, Ask, Finding } from './store.ts';

/**
 * Denials that are known to last, so that nobody need be asked again: a bounded map from rule and key to the earliest time at which the same cost may fit.
 *
 * Larger costs fit no sooner, so they are denied as well; smaller ones are not. The oldest entry makes room for a new one.
 */
export class DenyCache {
  readonly #most: number;
  readonly #ofRule: boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param ofRule whether a denial follows from its rule, and is over when that is changed. */
  constructor(most: number, { ofRule }: { readonly ofRule: boolean }) {
    this.#most = most;
    this.#ofRule = ofRule;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers until `untilUs` that a rule denies, of any time that {@link answerTo} is asked in. Of two that do not follow from the rule the longer counts. */
  add(finding: Finding, untilUs: number): void {
    const place = placeOf(finding);
    if (!this.#ofRule && (this.#entries.get(place)?.untilUs ?? 0) > untilUs) return;
    this.#entries.delete(place);
    if (this.#entries.size >= this.#most) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(place, { finding, untilUs });
  }

  /** The denial that some ask is known to get; it has the findings of such asks only. Undefined where none is known. */
  answerTo(asks: readonly Ask[], nowUs: number): Answer | undefined {
    if (this.#entries.size === 0) return undefined;
    const findings = asks.flatMap((ask) => this.#findingOf(ask, nowUs) ?? []);
    return findings.length === 0 ? undefined : { allowed: false, findings, delayUs: 0, source: 'deny-cache' };
  }

  /** Something came back to these rules and keys. */
  forget(asks: readonly Ask[]): void {
    if (this.#entries.size > 0) for (const ask of asks) this.#entries.delete(placeOf(ask));
  }

  #findingOf(ask: Ask, nowUs: number): Finding | undefined {
    if (ask.rule.mode === 'shadow') return undefined;
    const place = placeOf(ask);
    const entry = this.#entries.get(place);
    if (entry === undefined || ask.cost < entry.finding.cost) return undefined;
    const retryAfterUs = entry.untilUs - nowUs;
    const changed = this.#ofRule && entry.finding.rule !== ask.rule;
    if (retryAfterUs <= 0 || changed) {
      this.#entries.delete(place);
      return undefined;
    }
    const resetAfterUs = Math.max(entry.finding.resetAfterUs, retryAfterUs);
    return { ...entry.finding, rule: ask.rule, cost: ask.cost, allowed: false, resetAfterUs, retryAfterUs };
  }
}

interface Entry {
  readonly finding: Finding;
  readonly untilUs: number;
}

function placeOf({ rule, key }: Pick<Ask, 'rule' | 'key'>): string {
  return `${rule.id} ${key}`;
}
