/**
 * Sliding window: every charge counts for exactly one period, or for a little longer where many are kept as one.
 *
 * Admits at most `limit` in any window of one period. Small limits are exact: a resolution of 1 microsecond keeps the log of all charges. Above, times are
 * rounded up to a hundredth of the period, so that a key holds at most 102 entries; a charge then counts up to that much longer, never shorter.
 */
export interface Sliding {
  readonly kind: 'sliding';
  readonly limit: number;
  readonly periodUs: number;
  /** Times are rounded up to the last microsecond of such a stretch. */
  readonly resolutionUs: number;
}

/**
 * What is kept for a key: the time and the units of each entry, oldest first, in turn: `[time, units, time, units, ...]`. Times rise; units are above 0.
 * Entries that are over count no more and are taken out with the next charge.
 */
export type SlidingState = number[];

/** Charges beyond so many entries, which only force can make, join the newest. */
export const mostEntries = 256;

/** Largest limit that is kept as an exact log. */
export const longestLog = 128;

/** Index of the first time that still counts. */
export function firstLive({ periodUs }: Sliding, state: SlidingState, nowUs: number): number {
  let index = 0;
  while (index < state.length && nowUs - (state[index] ?? 0) >= periodUs) index += 2;
  return index;
}

/** Units in the window that ends now. */
export function usedIn(sliding: Sliding, state: SlidingState, nowUs: number): number {
  let used = 0;
  for (let index = firstLive(sliding, state, nowUs); index < state.length; index += 2) used += state[index + 1] ?? 0;
  return used;
}

/**
 * Microseconds until the cost fits: 0 now, Infinity never.
 *
 * @param used {@link usedIn} the window, where it is known.
 */
export function slidingWaitUs(
  sliding: Sliding,
  state: SlidingState,
  cost: number,
  nowUs: number,
  used = usedIn(sliding, state, nowUs),
): number {
  const { limit, periodUs } = sliding;
  if (cost > limit) return Number.POSITIVE_INFINITY;
  let over = used - (limit - cost);
  if (cost === 0 || over <= 0) return 0;
  let untilUs = nowUs;
  for (let index = firstLive(sliding, state, nowUs); over > 0 && index < state.length; index += 2) {
    over -= state[index + 1] ?? 0;
    untilUs = (state[index] ?? 0) + periodUs;
  }
  return untilUs - nowUs;
}

/** Adds a cost, whether it fits or not. Returns the mark that {@link settleSliding} needs. */
export function spendFromSliding(
  sliding: Sliding,
  state: SlidingState,
  cost: number,
  nowUs: number,
  used = usedIn(sliding, state, nowUs),
): number {
  const { resolutionUs } = sliding;
  const last = state.length - 2;
  const timeUs = Math.max(nowUs - (nowUs % resolutionUs) + resolutionUs - 1, state[last] ?? 0);
  if (cost === 0) return timeUs;
  // Never more in all than is exact, so that sums are.
  const units = Math.min(cost, Number.MAX_SAFE_INTEGER - used);
  const over = firstLive(sliding, state, nowUs);
  if (over > 0) state.splice(0, over);
  const newest = state.length - 2;
  if (newest >= 0 && (state[newest] === timeUs || state.length >= 2 * mostEntries)) {
    state[newest] = timeUs;
    state[newest + 1] = (state[newest + 1] ?? 0) + units;
  } else if (units > 0) {
    state.push(timeUs, units);
  }
  return timeUs;
}

/** Replaces a held cost by what was used: less at its own time, more now. */
export function settleSliding(
  sliding: Sliding,
  state: SlidingState,
  held: number,
  mark: number,
  used: number,
  nowUs: number,
): void {
  if (used > held) {
    spendFromSliding(sliding, state, used - held, nowUs);
    return;
  }
  for (let index = state.length - 2; index >= 0; index -= 2) {
    if (state[index] !== mark) continue;
    const left = Math.max(0, (state[index + 1] ?? 0) - (held - used));
    if (left === 0) state.splice(index, 2);
    else state[index + 1] = left;
    return;
  }
}

/** Microseconds until nothing counts any more. */
export function slidingResetUs(sliding: Sliding, state: SlidingState, nowUs: number): number {
  return untilOverUs(sliding, state.at(-2), nowUs);
}

/** {@link slidingResetUs} of a state with this newest time. */
export function untilOverUs({ periodUs }: Sliding, newestUs: number | undefined, nowUs: number): number {
  return newestUs === undefined ? 0 : Math.max(0, newestUs + periodUs - nowUs);
}
