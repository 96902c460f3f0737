import type { EndOf, LlmCallMark } from '@sage-adk/core';

/** The mark of the outer call, with what this layer does added. */
export class InnerMark implements LlmCallMark {
  readonly #outer: LlmCallMark;
  steps: ReadonlySet<string>;
  #lost = 0;
  #renew: LlmCallMark['renew'];
  /** Whether a layer inside said that what came of it cost nothing. */
  isFree = false;

  constructor(outer: LlmCallMark, steps: ReadonlySet<string>) {
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

  /** Of this layer, where it reserves, or else of those around it. */
  get renew(): LlmCallMark['renew'] {
    return this.#renew ?? this.#outer.renew;
  }

  set renew(renew: LlmCallMark['renew']) {
    this.#renew = renew;
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
    if (facts.costNanoUsd === 0n) this.isFree = true;
    this.#outer.learn(facts);
  }

  /** Those around are told; what this layer itself still does costs what it costs. */
  free(): void {
    this.#outer.learn({ costNanoUsd: 0n });
  }
}

/** The steps and one more. There are few such sets, and each is made once. */
export function withStep(steps: ReadonlySet<string>, step: string): ReadonlySet<string> {
  if (steps.has(step)) return steps;
  let more = known.get(steps);
  if (more?.step !== step) known.set(steps, (more = { step, steps: new Set([...steps, step]) }));
  return more.steps;
}

const known = new WeakMap<ReadonlySet<string>, { readonly step: string; readonly steps: ReadonlySet<string> }>();
