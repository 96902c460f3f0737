import { monitorEventLoopDelay } from 'node:perf_hooks';
import { requireNumber } from '@sage-adk/core';
import type { CheckSpec } from '../checks/spec.ts';
import type { NamedCheck } from './named.ts';

export interface EventLoopCheckOptions extends NamedCheck {
  /** Milliseconds of the longest delay since the last run from which it warns. @default 200 */
  readonly warnMs?: number;
  /** And from which it fails. @default 1_000 */
  readonly failMs?: number;
}

const resolutionMs = 20;

/** Whether the event loop keeps up. Measures from its creation until it is disposed. */
export function eventLoopCheck({
  warnMs = 200,
  failMs = 1_000,
  name = 'event_loop',
  ...watching
}: EventLoopCheckOptions = {}): CheckSpec & Disposable {
  requireNumber('warnMs', warnMs, 1);
  requireNumber('failMs', failMs, warnMs);
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  return {
    ...watching,
    name,
    async check() {
      // Not a percentile: a block of two seconds is one sample among hundreds.
      const delayMs = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e6 - resolutionMs);
      delays.reset();
      const detail = `${Math.round(delayMs)} ms behind at most`;
      if (delayMs >= failMs) return { status: 'fail', detail };
      return { status: delayMs >= warnMs ? 'warn' : 'pass', detail };
    },
    [Symbol.dispose]: () => void delays.disable(),
  };
}
