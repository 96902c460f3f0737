/**
 * Wall-clock times of moments that operations give on the clock of `performance.now()`.
 */
import type { HrTime } from '@opentelemetry/api';

const toleratedMs = 100;

let originMs = performance.timeOrigin;

/**
 * The Unix time in milliseconds at which `performance.now()` was 0, going by the wall clock of today: it moves when that is set, or when the machine slept.
 *
 * Within 100 ms it stays as it is, so that spans keep their order to the microsecond.
 */
export function wallOriginMs(): number {
  const nowMs = Date.now();
  const elapsedMs = performance.now();
  if (Math.abs(nowMs - originMs - elapsedMs) > toleratedMs) originMs = nowMs - elapsedMs;
  return originMs;
}

/** Unix milliseconds as seconds and nanoseconds. A plain number could be mistaken by the SDK for a reading of `performance.now()`. */
export function toHrTime(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1_000);
  return [seconds, Math.round((unixMs - seconds * 1_000) * 1_000_000)];
}
