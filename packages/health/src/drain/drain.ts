/** The end of a process in the right order: say so, wait until nobody sends more, finish, flush, close. */
import { type Clock, emit, requireNumber, systemClock } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import { textOf, withoutSecrets } from '../detail.ts';
import type { Health } from '../health.ts';
import { endOnSignals, type SignalOptions } from './signals.ts';
import { type DrainStep, runStep, type StepEnd } from './step.ts';

export interface DrainOptions {
  /** One after the other, each also where an earlier one failed: servers first, then logs, spans and metrics, pools last. */
  readonly steps: readonly DrainStep[];
  /** Is not ready any more from the first moment. */
  readonly health?: Pick<Health, 'setDraining'>;
  /** Milliseconds of full service after readiness is gone: as long as load balancers take to see it. @default 5_000 */
  readonly preStopDelayMs?: number;
  /** Milliseconds for everything together. Keep it below what the platform grants, which is 30 s on Kubernetes. @default 25_000 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

export interface Drain {
  readonly draining: boolean;
  /** Drains, once; a later call gets the report of the first. Never rejects. */
  start(reason?: string): Promise<DrainReport>;
  /** Drains at SIGTERM or SIGINT and exits: with 0, or 1 where a step failed or ran out of time. A second signal exits at once. */
  onSignals(options?: SignalOptions): Disposable;
}

/** What was done before the end. */
export interface DrainReport {
  readonly reason: string;
  /** Whether each step ended well, in its time. */
  readonly complete: boolean;
  readonly durationMs: number;
  readonly steps: readonly StepReport[];
}

export type StepReport = StepEnd & { readonly name: string; readonly durationMs: number };

/** What each step gets at least, however late it is: what is to be flushed should at least be tried. */
const lastChanceMs = 100;

/**
 * Makes a drain. Nothing happens until it is started.
 *
 * A step that fails or runs out of time is told by the event `error.critical`, and the next one begins.
 *
 * @example
 * ```ts
 * const drain = createDrain({
 *   health,
 *   steps: [serverStep(server, { timeoutMs: 15_000 }), { name: 'logs', run: () => logger.close() }],
 * });
 * drain.onSignals();
 * ```
 */
export function createDrain({
  steps,
  health,
  preStopDelayMs = 5_000,
  deadlineMs = 25_000,
  clock = systemClock,
}: DrainOptions): Drain {
  requireNumber('preStopDelayMs', preStopDelayMs, 0);
  requireNumber('deadlineMs', deadlineMs, preStopDelayMs + lastChanceMs * steps.length);
  for (const { name, timeoutMs = 1 } of steps) requireNumber(`timeoutMs of ${name}`, timeoutMs, 1);

  const drain = async (reason: string): Promise<DrainReport> => {
    const startedMs = clock.monotonicMs();
    attempt('health', () => health?.setDraining(reason));
    for (const step of steps) attempt(step.name, () => step.announce?.());
    if (preStopDelayMs > 0) await sleep(preStopDelayMs, { clock, signal: new AbortController().signal });
    const reports: StepReport[] = [];
    for (const [index, step] of steps.entries()) {
      const sinceMs = clock.monotonicMs();
      const leftMs = startedMs + deadlineMs - sinceMs - lastChanceMs * (steps.length - index - 1);
      const end = await runStep(step, Math.max(lastChanceMs, Math.min(step.timeoutMs ?? 5_000, leftMs)), clock);
      reports.push({ name: step.name, durationMs: clock.monotonicMs() - sinceMs, ...end });
      if (end.outcome !== 'ok') tell(step.name, end);
    }
    const complete = reports.every(({ outcome }) => outcome === 'ok');
    return { reason, complete, durationMs: clock.monotonicMs() - startedMs, steps: reports };
  };

  let started: Promise<DrainReport> | undefined;
  const start = (reason = 'draining'): Promise<DrainReport> => (started ??= drain(reason));
  return {
    get draining() {
      return started !== undefined;
    },
    start,
    onSignals: (options) => endOnSignals(() => start(), options),
  };
}

function attempt(name: string, say: () => void): void {
  try {
    say();
  } catch (error) {
    tell(name, { outcome: 'error', error });
  }
}

function tell(name: string, end: Exclude<StepEnd, { outcome: 'ok' }>): void {
  const what = end.outcome === 'timeout' ? `did not end within ${Math.round(end.timeoutMs)} ms` : textOf(end.error);
  emit('error.critical', {
    source: 'drain',
    reason: `step_${end.outcome}`,
    message: withoutSecrets(`The step ${name} of the drain: ${what}`),
  });
}
