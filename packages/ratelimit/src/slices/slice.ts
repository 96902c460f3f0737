import type { Timer } from '@sage-adk/core';
import type { CompiledRule } from '../compile.ts';

/** Quota that was taken ahead. */
export interface Slice {
  readonly id: string;
  readonly size: number;
  readonly rule: CompiledRule;
  /** When it was asked for; the store charged it later. */
  readonly sentMs: number;
  readonly untilMs: number;
  /** From when on the next one is fetched; never for one that ends with its window, for the next would end there too. */
  readonly renewMs: number;
  readonly timer: Timer;
  left: number;
}

export interface Part {
  readonly slice: Slice;
  readonly units: number;
}

/** What a decision took, from which slices. */
export type Taken = readonly Part[];
