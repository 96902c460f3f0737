import type { CompiledRule } from '../compile.ts';
import { overflowSlot } from './key-table.ts';
import type { MemoryClock } from './memory-clock.ts';
import type { OneAnswer, OneRule } from './one-rule.ts';
import type { Place } from './places.ts';
import type { AnswerSource } from './store.ts';

/** One rule of the memory store. */
export class MemoryRule implements OneRule {
  readonly #rule: CompiledRule;
  readonly #place: Place;
  readonly #now: MemoryClock;
  readonly #held: { readonly size: number };
  readonly #expire: () => void;
  // Fractions, so that the compiler keeps each as a number in place from the start.
  readonly #answer = { waitUs: 0.5, level: 0.5, resetAfterUs: 0.5, source: 'store' as AnswerSource, atUs: 0.5 };

  /** @param expire takes out the reservations in `held` that are over. */
  constructor(rule: CompiledRule, place: Place, now: MemoryClock, held: { readonly size: number }, expire: () => void) {
    this.#rule = rule;
    this.#place = place;
    this.#now = now;
    this.#held = held;
    this.#expire = expire;
  }

  consume(key: string, cost: number): OneAnswer {
    const now = this.#now;
    now.tick();
    if (this.#held.size > 0) this.#expire();
    const { table, counter } = this.#place;
    const slot = table.slotOf(key);
    if (slot === undefined) return this.#consumeNew(key, cost);
    const answer = this.#answer;
    if (counter.consume(slot, this.#rule.strategy, cost, now, answer)) table.cameBack(slot);
    answer.source = 'store';
    answer.atUs = now.wallUs;
    return answer;
  }

  /** For a key that has no slot. */
  #consumeNew(key: string, cost: number): OneAnswer {
    const now = this.#now;
    const { table, counter } = this.#place;
    const { strategy } = this.#rule;
    const slot = table.slotForNew(key);
    const answer = this.#answer;
    const { start } = table;
    counter.load(start, strategy, now);
    // Claimed only where the cost fits: a denial changes nothing. What an idle key left in the slot counts no more, and a claim clears it.
    const fits = counter.waitUs(cost, 0) === 0 && cost > 0;
    if (fits) table.claim(slot, key, 0);
    counter.consume(fits ? slot : start, strategy, cost, now, answer);
    answer.source = start === overflowSlot ? 'overflow' : 'store';
    answer.atUs = now.wallUs;
    return answer;
  }
}
