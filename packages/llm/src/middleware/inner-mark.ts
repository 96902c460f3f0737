import type { EndOf, LlmCallMark } from '@sage-adk/core';

/** The mark of the outer call, with what this layer does added. */
export class InnerMark implements LlmCallMark {
  readonly #outer: LlmCallMark;
  readonly steps: ReadonlySet<string>;

  constructor(outer: LlmCallMark, steps: Iterable<string>) {
    this.#outer = outer;
    this.steps = new Set([...outer.steps, ...steps]);
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
