/**
 * Fixed window: a count that starts again with each window.
 *
 * Admits at most `limit` in each window, and so up to twice that in a time as long as a window that lies across a boundary. Windows lie side by side from
 * the epoch (aligned), begin with the first charge (anchored), or are days or months of a calendar in a time zone.
 */
export interface Window {
  readonly kind: 'window';
  readonly limit: number;
  /** Length in microseconds; 0 where a calendar gives it. */
  readonly periodUs: number;
  readonly anchored: boolean;
  readonly calendar: Calendar | undefined;
}

/** Days or months in a time zone, on the wall clock of the process. */
export interface Calendar {
  /**
   * Four boundaries in microseconds since the epoch, in rising order: the window around `nowMs` lies between the second and the third. A store whose own clock is
   * elsewhere within the three windows finds its place among them. After them windows go on as long as the last, for a process whose clock is days behind. One whose
   * clock is days ahead moves the window of all into the future: until that is over no more is admitted than in one window.
   */
  boundariesAround(nowMs: number): readonly number[];
}

/** What is kept for a key; all 0 where nothing is used. */
export interface WindowState {
  startUs: number;
  used: number;
}

/** Where the current window lies. */
export interface Span {
  readonly startUs: number;
  readonly endUs: number;
}

/** No count grows beyond what a double holds exactly. */
export const mostUnits = Number.MAX_SAFE_INTEGER;

export function freshWindow(): WindowState {
  return { startUs: 0, used: 0 };
}

/**
 * Moves the state to the window of now, and returns where that lies. A window that was begun is not left for an earlier one when the clock goes back.
 *
 * @param boundaries those of the calendar, where the window has one.
 */
export function openWindow(
  { periodUs, anchored }: Window,
  state: WindowState,
  nowUs: number,
  boundaries: readonly number[] | undefined,
): Span {
  const span = boundaries === undefined ? spanOf(periodUs, anchored, state, nowUs) : spanAmong(boundaries, nowUs);
  if (state.used > 0 && state.startUs > span.startUs) {
    return { startUs: state.startUs, endUs: state.startUs + (span.endUs - span.startUs) };
  }
  if (state.startUs !== span.startUs) {
    state.startUs = span.startUs;
    state.used = 0;
  }
  return span;
}

/** Microseconds until the cost fits: 0 now, Infinity never. */
export function windowWaitUs(
  { limit }: Window,
  { used }: WindowState,
  cost: number,
  span: Span,
  nowUs: number,
): number {
  if (cost > limit) return Number.POSITIVE_INFINITY;
  return cost === 0 || cost <= limit - used ? 0 : span.endUs - nowUs;
}

/** Adds a cost, whether it fits or not. Returns the mark that {@link settleWindow} needs. */
export function spendFromWindow(state: WindowState, cost: number): number {
  state.used = Math.min(mostUnits, state.used + cost);
  return state.startUs;
}

/** Replaces a held cost by what was used: less only while its own window lasts, more in the window of now. */
export function settleWindow(state: WindowState, held: number, mark: number, used: number): void {
  if (used > held) spendFromWindow(state, used - held);
  else if (mark === state.startUs) state.used = Math.max(0, state.used - (held - used));
}

export function windowRemaining({ limit }: Window, { used }: WindowState): number {
  return Math.max(0, limit - used);
}

/** Microseconds until nothing is used. */
export function windowResetUs({ used }: WindowState, span: Span, nowUs: number): number {
  return used === 0 ? 0 : span.endUs - nowUs;
}

function spanOf(periodUs: number, anchored: boolean, state: WindowState, nowUs: number): Span {
  const hasBegun = state.used > 0 && nowUs < state.startUs + periodUs;
  return spanFrom(anchored ? (hasBegun ? state.startUs : nowUs) : 0, periodUs, nowUs);
}

/** The two boundaries around now; the first two before them all, and after them windows go on as long as the last. */
function spanAmong(boundaries: readonly number[], nowUs: number): Span {
  let index = boundaries.length - 2;
  while (index > 0 && (boundaries[index] ?? 0) > nowUs) index--;
  const startUs = boundaries[index] ?? 0;
  return spanFrom(startUs, (boundaries[index + 1] ?? 0) - startUs, nowUs);
}

/** The one around now of windows of one length side by side, of which none is before the first. */
function spanFrom(firstUs: number, lengthUs: number, nowUs: number): Span {
  const startUs = Math.max(firstUs, nowUs - ((nowUs - firstUs) % lengthUs));
  return { startUs, endUs: startUs + lengthUs };
}
