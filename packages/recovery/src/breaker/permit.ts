import type { BreakerPermit } from '@sage-adk/core';

/** What a permit was told, once. */
export type Settled = (permit: Permit, word: 'success' | 'failure' | 'nothing', error: unknown) => void;

/** A permit that knows when, and in which state of its breaker, it was given. */
export class Permit implements BreakerPermit {
  readonly startedMs: number;
  readonly generation: number;
  readonly round: number;
  #settled: Settled | undefined;

  constructor(startedMs: number, generation: number, round: number, settled: Settled) {
    this.startedMs = startedMs;
    this.generation = generation;
    this.round = round;
    this.#settled = settled;
  }

  succeed(): void {
    this.#tell('success', undefined);
  }

  fail(error: unknown): void {
    this.#tell('failure', error);
  }

  release(): void {
    this.#tell('nothing', undefined);
  }

  /** Takes the word away; false where it was given. */
  expire(): boolean {
    const open = this.#settled !== undefined;
    this.#settled = undefined;
    return open;
  }

  #tell(word: 'success' | 'failure' | 'nothing', error: unknown): void {
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.(this, word, error);
  }
}
