/** How a rule counts, as plain whole numbers. */
import { type Bucket, bucketRemaining, bucketResetUs } from './bucket.ts';
import type { Sliding } from './sliding.ts';
import type { Slots } from './slots.ts';
import type { Window } from './window.ts';

export type CompiledStrategy = Bucket | Window | Sliding | Slots;

/** Units that may be spent at once at a level: what is used of a rule, the debt of a bucket in parts, else units. */
export function remainingAt(strategy: CompiledStrategy, level: number): number {
  return strategy.kind === 'bucket' ? bucketRemaining(strategy, { debt: level }) : Math.max(0, strategy.limit - level);
}

/** The highest level at which so many units, at least one, may be spent. */
export function levelLeaving(strategy: CompiledStrategy, units: number): number {
  return strategy.kind === 'bucket' ? (strategy.burst - units) * strategy.weight : strategy.limit - units;
}

/** Microseconds until nothing is used; `otherwiseUs` where the level alone does not tell. */
export function resetUsAt(strategy: CompiledStrategy, level: number, otherwiseUs: number): number {
  return strategy.kind === 'bucket' ? bucketResetUs(strategy, { debt: level }) : otherwiseUs;
}

/** Six whole numbers, the first of which tells the kind: what a script in Lua or SQL is given. */
export type PackedStrategy = readonly [number, number, number, number, number, number];

export const packedKinds = { bucket: 1, window: 2, calendar: 3, sliding: 4, slots: 5 } as const;

/**
 * The strategy as numbers: `[1, weight, drain, burst, queue, 0]` for a bucket, `[2, limit, periodUs, anchored, 0, 0]` for a window,
 * `[3, limit, boundary, boundary, boundary, boundary]` for one of a calendar, `[4, limit, periodUs, resolutionUs, 0, 0]` for a sliding window and
 * `[5, limit, 0, 0, 0, 0]` for slots.
 *
 * @param nowMs wall-clock time that a calendar's boundaries lie around.
 */
export function packStrategy(strategy: CompiledStrategy, nowMs: number): PackedStrategy {
  switch (strategy.kind) {
    case 'bucket':
      return [packedKinds.bucket, strategy.weight, strategy.drain, strategy.burst, strategy.queue, 0];
    case 'window':
      return strategy.calendar === undefined
        ? [packedKinds.window, strategy.limit, strategy.periodUs, Number(strategy.anchored), 0, 0]
        : packCalendar(strategy.limit, strategy.calendar.boundariesAround(nowMs));
    case 'sliding':
      return [packedKinds.sliding, strategy.limit, strategy.periodUs, strategy.resolutionUs, 0, 0];
    default:
      return [packedKinds.slots, strategy.limit, 0, 0, 0, 0];
  }
}

function packCalendar(limit: number, [a = 0, b = 0, c = 0, d = 0]: readonly number[]): PackedStrategy {
  return [packedKinds.calendar, limit, a, b, c, d];
}
