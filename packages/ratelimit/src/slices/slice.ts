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

/** Whether it may be spent by a call that waits since `askedAtMs`: as long as it lasts, or where it was asked for after that, as if the store had decided about the call itself. */
export function isGood({ sentMs, untilMs }: Slice, nowMs: number, askedAtMs = Number.POSITIVE_INFINITY): boolean {
  return nowMs < untilMs || sentMs >= askedAtMs;
}

export interface Part {
  readonly slice: Slice;
  readonly units: number;
}

/** What a decision took, from which slices. */
export type Taken = readonly Part[];
