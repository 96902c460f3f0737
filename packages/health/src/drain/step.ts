import type { Clock } from '@sage-adk/core';

/** One thing to do before the process ends. */
export interface DrainStep {
  readonly name: string;
  /** Milliseconds it may take. @default 5_000 */
  readonly timeoutMs?: number;
  /** Called when the drain begins, before its delay: from now on tell clients that they should go elsewhere. Must not wait. */
  announce?(): void;
  /** Does it. The signal aborts when the time is over; whatever still runs then is left behind. */
  run(signal: AbortSignal): unknown;
}

/** How a step came to its end. */
export type StepEnd =
  | { readonly outcome: 'ok' }
  | { readonly outcome: 'timeout'; readonly timeoutMs: number }
  | { readonly outcome: 'error'; readonly error: unknown };

/** Runs a step no longer than `timeoutMs`. Never rejects. */
export function runStep(step: DrainStep, timeoutMs: number, clock: Clock): Promise<StepEnd> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const timer = clock.setTimer(
      () => {
        controller.abort(new DOMException('The time of the step is over.', 'TimeoutError'));
        // What ends because of the abort, ends in time.
        setImmediate(() => resolve({ outcome: 'timeout', timeoutMs }));
      },
      timeoutMs,
      { keepAlive: true },
    );
    const end = (how: StepEnd): void => {
      timer.cancel();
      resolve(how);
    };
    settle(step, controller.signal).then(
      () => end({ outcome: controller.signal.aborted ? 'timeout' : 'ok', timeoutMs }),
      (error: unknown) => end({ outcome: 'error', error }),
    );
  });
}

async function settle(step: DrainStep, signal: AbortSignal): Promise<void> {
  await step.run(signal);
}
