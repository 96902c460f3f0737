import { type HealthCheck, requireNumber, requireWhole } from '@sage-adk/core';

/** A check and, where it differs from the others, how it is watched. */
export interface CheckSpec extends HealthCheck, Partial<Watching> {
  /**
   * Whether something else can do the work meanwhile. While it can, a failure of this check only degrades the verdict. Asked at each probe, so it
   * must be cheap. @default nothing can
   */
  readonly hasFallback?: () => boolean;
}

/** How a check is watched. */
export interface Watching {
  /** Milliseconds from the end of one run to the next, from 100; spread by a tenth to either side, so that agents do not check in step. @default 10_000 */
  readonly intervalMs: number;
  /** Milliseconds a run may take before it counts as failed, from 10. @default 2_000 */
  readonly timeoutMs: number;
  /** Failures in a row after which a check that was well counts as failing; until then it warns. @default 3 */
  readonly failureThreshold: number;
  /** Passes in a row after which a failing check is well again. @default 1 */
  readonly successThreshold: number;
  /** Milliseconds after which a result counts no more and the check fails as stale. @default twice the interval and the timeout */
  readonly staleAfterMs: number;
}

/** Fills in what is missing, first from `defaults`, and refuses what cannot be. */
export function watchingOf(spec: Partial<Watching>, defaults: Partial<Watching> = {}): Watching {
  const intervalMs = requireNumber('intervalMs', spec.intervalMs ?? defaults.intervalMs ?? 10_000, 100);
  const timeoutMs = requireNumber('timeoutMs', spec.timeoutMs ?? defaults.timeoutMs ?? 2_000, 10);
  const fresh = 1.1 * intervalMs + timeoutMs;
  return {
    intervalMs,
    timeoutMs,
    failureThreshold: requireWhole('failureThreshold', spec.failureThreshold ?? defaults.failureThreshold ?? 3, 1),
    successThreshold: requireWhole('successThreshold', spec.successThreshold ?? defaults.successThreshold ?? 1, 1),
    // A bound below the time between two results would make every check stale between its runs.
    staleAfterMs: requireNumber(
      'staleAfterMs',
      spec.staleAfterMs ?? defaults.staleAfterMs ?? 2 * (intervalMs + timeoutMs),
      fresh,
    ),
  };
}
