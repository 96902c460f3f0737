import type { EndOf, LlmCallMark } from '@sage-adk/core';

/** The mark of the outer call, with what this layer does added. */
export class InnerMark implements LlmCallMark {
  readonly #outer: LlmCallMark;
  readonly steps: ReadonlySet<string>;
  #lost = 0;

  constructor(outer: LlmCallMark, steps: Iterable<string>) {
    this.#outer = outer;
    this.steps = new Set([...outer.steps, ...steps]);
  }

  /** Seen by this layer; those around it are told. */
  get lost(): number {
    return this.#lost;
  }

  set lost(count: number) {
    const more = count - this.#lost;
    this.#lost = count;
    const outer = this.#outer;
    if (outer.lost !== undefined) outer.lost += more;
  }

  get open(): boolean {
    return this.#outer.open;
  }

  get attempts(): number {
    return this.#outer.attempts;
  }

  set attempts(count: number) {
    this.#outer.attempts = count;
  }

  learn(facts: EndOf<'llm.call'>): void {
    this.#outer.learn(facts);
  }
}
