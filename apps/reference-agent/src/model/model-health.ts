import { type Clock, type HealthCheck, observe, systemClock } from '@sage-adk/core';

export interface ModelHealthOptions {
  /** Calls in a row that must fail. @default 5 */
  readonly failures?: number;
  /** Milliseconds after the last failure until the model is given another chance. @default 30_000 */
  readonly restMs?: number;
  readonly clock?: Clock;
}

/** A check of the model that never calls it: it watches the calls that are made anyway, so no probe costs a token. */
export function createModelHealth({
  failures = 5,
  restMs = 30_000,
  clock = systemClock,
}: ModelHealthOptions = {}): HealthCheck & Disposable {
  let failed = 0;
  let failedAtMs = 0;
  const subscription = observe({
    name: 'model-health',
    operations: {
      'llm.call': {
        end({ outcome }) {
          if (outcome === 'ok') failed = 0;
          else if (outcome === 'error' || outcome === 'timeout') {
            failed++;
            failedAtMs = clock.monotonicMs();
          }
        },
      },
    },
  });
  return {
    name: 'llm',
    async check() {
      // Without another chance there would be no traffic, and so no call that could prove it well again.
      const isDown = failed >= failures && clock.monotonicMs() - failedAtMs < restMs;
      return isDown ? { status: 'fail', detail: `the last ${failed} calls failed` } : { status: 'pass' };
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
