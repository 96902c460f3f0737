import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type BreakerEvent, type BreakerState, type BreakerTimes, transition } from '../../src/breaker/state.ts';

const times: BreakerTimes = { openMs: 100, maxOpenMs: 1_000, calmMs: 300 };
const at = (state: BreakerState, event: BreakerEvent): BreakerState => transition(state, event, times);
const closed: BreakerState = { name: 'closed' };
const open: BreakerState = { name: 'open', untilMs: 500, openings: 2, threshold: 6 };
const forced: BreakerState = { name: 'forced-open', reason: 'by hand' };
const disabled: BreakerState = { name: 'disabled' };
const recovering = (fields: object = {}): BreakerState => ({
  name: 'recovering',
  window: 4,
  threshold: 8,
  openings: 2,
  round: 1,
  boundMs: 1_000,
  ...fields,
});
const first = recovering({ window: 1, threshold: Infinity, openings: 1, round: 0, boundMs: 9 });
const trip: BreakerEvent = { type: 'trip', nowMs: 400, spread: 0 };
const probe: BreakerEvent = { type: 'probe', nowMs: 9 };
const bound: BreakerEvent = { type: 'bound', nowMs: 1_100 };
const success: BreakerEvent = { type: 'success', nowMs: 1_100, slow: false };
const failure: BreakerEvent = { type: 'failure', nowMs: 1_100, round: 1, spread: 0.5 };

describe('ER22: the states of a breaker', () => {
  test.each<[string, BreakerState, BreakerEvent, BreakerState]>([
    ['trips open', closed, trip, { name: 'open', untilMs: 450, openings: 1, threshold: Infinity }],
    ['is not recovering while closed', closed, probe, closed],
    ['hears no old failure while closed', closed, failure, closed],
    ['does not trip twice', open, trip, open],
    [
      'recovers with one call, remembering how it went',
      open,
      probe,
      recovering({ ...first, openings: 2, threshold: 6 }),
    ],
    ['hears nobody while it rests', open, success, open],
    ['recovers from a forced opening', forced, probe, first],
    ['stays forced', forced, trip, forced],
    ['counts nothing while disabled', disabled, trip, disabled],
    ['grows by one below the threshold', recovering(), success, recovering({ window: 5 })],
    ['grows slowly above it', recovering({ threshold: 2 }), success, recovering({ window: 4.25, threshold: 2 })],
    ['does not grow by a slow success', recovering(), { ...success, slow: true }, recovering()],
    ['halves at a failure', recovering(), failure, recovering({ window: 2, threshold: 2, round: 2, boundMs: 1_100 })],
    ['halves once for the calls of a round', recovering(), { ...failure, round: 0 }, recovering()],
    ['remembers when it held back', recovering(), bound, recovering({ boundMs: 1_100 })],
    ['closes once it bound nobody for a while', recovering(), { ...success, nowMs: 1_300 }, closed],
    [
      'opens again below two, for twice as long, with a spread',
      recovering({ window: 1 }),
      failure,
      { name: 'open', untilMs: 1_100 + 300, openings: 3, threshold: 8 },
    ],
    [
      'never rests longer than the longest',
      recovering({ window: 1, openings: 60 }),
      { ...failure, spread: 0.999 },
      { name: 'open', untilMs: 1_100 + 999.5, openings: 61, threshold: 8 },
    ],
    ['is closed by a reset', open, { type: 'reset' }, closed],
    ['is disabled from anywhere', recovering(), { type: 'disable' }, disabled],
    ['is forced from anywhere', recovering(), { type: 'force-open', reason: 'by hand' }, forced],
  ])('%s', (_, from, event, to) => {
    expect(at(from, event)).toEqual(to);
  });

  const nowMs = fc.nat(100_000);
  const spread = fc.double({ min: 0, max: 0.999, noNaN: true });
  const events = fc.array(
    fc.oneof(
      fc.record({ type: fc.constant('trip' as const), nowMs, spread }),
      fc.record({ type: fc.constant('probe' as const), nowMs }),
      fc.record({ type: fc.constant('bound' as const), nowMs }),
      fc.record({ type: fc.constant('success' as const), nowMs, slow: fc.boolean() }),
      fc.record({ type: fc.constant('failure' as const), nowMs, spread, round: fc.nat(5) }),
      fc.constant({ type: 'reset' as const }),
    ),
    { maxLength: 200 },
  );

  test('whatever happens, the window is at least one and a rest within its bounds', () => {
    fc.assert(
      fc.property(events, (trace) => {
        let state: BreakerState = closed;
        for (const event of trace.toSorted((a, b) => ('nowMs' in a && 'nowMs' in b ? a.nowMs - b.nowMs : 0))) {
          const next = at(state, event);
          if (next.name === 'recovering') {
            expect(next.window).toBeGreaterThanOrEqual(1);
            if (state.name === 'recovering') expect(next.window).toBeLessThanOrEqual(state.window + 1);
          }
          if (next.name === 'open' && next !== state && 'nowMs' in event) {
            expect(next.untilMs - event.nowMs).toBeGreaterThanOrEqual(times.openMs / 2);
            expect(next.untilMs - event.nowMs).toBeLessThanOrEqual(times.maxOpenMs);
          }
          if (next.name === 'closed' && state.name !== 'closed') expect(['recovering', 'open']).toContain(state.name);
          if (next.name === 'closed' && state.name === 'open') expect(event.type).toBe('reset');
          state = next;
        }
      }),
    );
  });
});
