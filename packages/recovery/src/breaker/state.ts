/**
 * The states of a circuit breaker as data, and the one function that goes from state to state.
 *
 * Recovery is a slow start, as TCP does it: a window of concurrent calls that begins at one, doubles while it succeeds, halves where it fails, and is
 * lifted once it has bound nobody for a while. A share of the traffic that grows with time, whatever comes back, is not gentle to a cold dependency.
 *
 * @see RFC 5681, section 3.1
 */
export type BreakerState =
  | { readonly name: 'closed' }
  | {
      readonly name: 'open';
      readonly untilMs: number;
      readonly openings: number;
      /** How far the next recovery may double: half of where the last one failed. */
      readonly threshold: number;
    }
  | Recovering
  | { readonly name: 'forced-open'; readonly reason: string }
  | { readonly name: 'disabled' };

/** Calls may come back, at most `window` at once. */
export interface Recovering {
  readonly name: 'recovering';
  readonly window: number;
  /** Below this the window grows by one with each success, above by one with each window of successes. */
  readonly threshold: number;
  /** How often it opened since it was last closed. */
  readonly openings: number;
  /** Counts the halvings: of the calls that were under way together, one failure halves. */
  readonly round: number;
  /** When the window last held somebody back. */
  readonly boundMs: number;
}

export type BreakerEvent =
  | { readonly type: 'trip'; readonly nowMs: number; readonly spread: number }
  | { readonly type: 'probe'; readonly nowMs: number }
  | { readonly type: 'bound'; readonly nowMs: number }
  | { readonly type: 'success'; readonly nowMs: number; readonly slow: boolean }
  | { readonly type: 'failure'; readonly nowMs: number; readonly round: number; readonly spread: number }
  | { readonly type: 'force-open'; readonly reason: string }
  | { readonly type: 'disable' }
  | { readonly type: 'reset' };

export interface BreakerTimes {
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly calmMs: number;
}

// More than any dependency is called at once; without it a long recovery could grow without end.
const widestWindow = 100_000;

/** The state after an event; the same object where nothing changes. `spread` is chance in [0, 1) for the length of the rest. */
export function transition(state: BreakerState, event: BreakerEvent, times: BreakerTimes): BreakerState {
  switch (event.type) {
    case 'force-open':
      return { name: 'forced-open', reason: event.reason };
    case 'disable':
      return { name: 'disabled' };
    case 'reset':
      return { name: 'closed' };
    case 'trip':
      return state.name === 'closed' ? rest(1, Number.POSITIVE_INFINITY, event, times) : state;
    case 'probe':
      return state.name === 'open' || state.name === 'forced-open' ? recover(state, event.nowMs) : state;
    default:
      return state.name === 'recovering' ? judge(state, event, times) : state;
  }
}

function judge(
  state: Recovering,
  event: Extract<BreakerEvent, { type: 'bound' | 'success' | 'failure' }>,
  times: BreakerTimes,
): BreakerState {
  if (event.type === 'bound') return { ...state, boundMs: event.nowMs };
  if (event.type === 'failure') {
    if (event.round !== state.round) return state;
    if (state.window < 2) return rest(state.openings + 1, Math.max(2, state.threshold), event, times);
    const window = state.window / 2;
    return { ...state, window, threshold: window, round: state.round + 1, boundMs: event.nowMs };
  }
  if (event.nowMs - state.boundMs >= times.calmMs) return { name: 'closed' };
  // A slow success is a sign of strain: no more, and no less.
  if (event.slow) return state;
  const grown = state.window + (state.window < state.threshold ? 1 : 1 / state.window);
  return { ...state, window: Math.min(widestWindow, grown) };
}

function recover(state: BreakerState, nowMs: number): Recovering {
  const { openings, threshold } = state.name === 'open' ? state : { openings: 1, threshold: Number.POSITIVE_INFINITY };
  return { name: 'recovering', window: 1, threshold, openings, round: 0, boundMs: nowMs };
}

/** Each opening in a row rests twice as long; the spread keeps the clients of one dependency from coming back together. */
function rest(
  openings: number,
  threshold: number,
  { nowMs, spread }: { readonly nowMs: number; readonly spread: number },
  { openMs, maxOpenMs }: BreakerTimes,
): BreakerState {
  const longestMs = Math.min(maxOpenMs, openMs * 2 ** (openings - 1));
  return { name: 'open', untilMs: nowMs + (longestMs * (1 + spread)) / 2, openings, threshold };
}
