import { type Clock, observe, requireNumber, requireWhole, systemClock } from '@sage-adk/core';
import type { CheckSpec } from '../checks/spec.ts';
import { isOpen, watchBreakers } from './breaker-states.ts';
import type { NamedCheck } from './named.ts';

export interface LlmCheckOptions extends NamedCheck {
  /** Watches the calls of this provider only, and the breaker of this name. @default the calls of all, and no breaker */
  readonly provider?: string;
  /** The breaker that protects the model, as its `breaker.changed` events call it. @default the provider */
  readonly dependency?: string;
  /** Calls in a row that must fail. @default 5 */
  readonly failures?: number;
  /** Milliseconds after the last failure until the model is given another chance. @default 30_000 */
  readonly restMs?: number;
  /** Asks the provider for something that costs nothing, such as {@link modelsProbe}, when no call has succeeded since the last run. @default nothing is asked */
  readonly probe?: (signal: AbortSignal) => Promise<unknown>;
  readonly clock?: Clock;
}

/**
 * Whether a model answers, known from the calls that are made anyway: it never calls the model, so no probe costs a token.
 *
 * Fails after some failures in a row, or while the breaker is open. Denied and cancelled calls say nothing. Watches from its creation until it is
 * disposed.
 */
export function llmCheck({
  provider,
  dependency = provider,
  failures = 5,
  restMs = 30_000,
  probe,
  clock = systemClock,
  name = provider === undefined ? 'llm' : `llm.${provider}`,
  ...watching
}: LlmCheckOptions = {}): CheckSpec & Disposable {
  requireWhole('failures', failures, 1);
  requireNumber('restMs', restMs, 0);
  const calls = watchCalls(name, provider, clock);
  const breakers = watchBreakers(`health:${name}`);
  return {
    // The calls were counted already.
    failureThreshold: 1,
    ...watching,
    name,
    async check(signal) {
      const state = dependency === undefined ? undefined : breakers.of(dependency);
      if (isOpen(state)) return { status: 'fail', detail: `the breaker is ${state}` };
      // Without another chance there would be no traffic, and so no call that could prove it well again.
      if (calls.failed >= failures && clock.monotonicMs() - calls.failedAtMs < restMs) {
        return { status: 'fail', detail: `the last ${calls.failed} calls failed` };
      }
      if (!calls.takeSuccess()) await probe?.(signal);
      return state === undefined ? { status: 'pass' } : { status: 'warn', detail: `the breaker is ${state}` };
    },
    [Symbol.dispose]() {
      calls[Symbol.dispose]();
      breakers[Symbol.dispose]();
    },
  };
}

interface Calls extends Disposable {
  /** Calls that failed in a row. */
  readonly failed: number;
  readonly failedAtMs: number;
  /** Whether a call succeeded since this was asked last. */
  takeSuccess(): boolean;
}

function watchCalls(name: string, provider: string | undefined, clock: Clock): Calls {
  let failed = 0;
  let failedAtMs = 0;
  let succeeded = false;
  const subscription = observe({
    name: `health:${name}`,
    operations: {
      'llm.call': {
        end({ start, outcome }) {
          if (provider !== undefined && start.provider !== provider) return;
          if (outcome === 'ok') {
            failed = 0;
            succeeded = true;
          } else if (outcome === 'error' || outcome === 'timeout') {
            failed++;
            failedAtMs = clock.monotonicMs();
          }
        },
      },
    },
  });
  return {
    get failed() {
      return failed;
    },
    get failedAtMs() {
      return failedAtMs;
    },
    takeSuccess() {
      const taken = succeeded;
      succeeded = false;
      return taken;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
