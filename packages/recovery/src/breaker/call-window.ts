import { CircuitState, type IBreaker } from 'cockatiel';
import { RollingWindow } from '../time/rolling-window.ts';
import type { BreakerSettings } from './options.ts';

const success = 0;
const failure = 1;
const slow = 2;
// So many failures in a row say as much as a whole window.
const longRow = 15;

export interface CallCounts {
  readonly successes: number;
  readonly failures: number;
  readonly slow: number;
}

/** The calls of the last while to a closed breaker, and what they say. */
export class CallWindow {
  readonly #settings: BreakerSettings;
  readonly #window: RollingWindow;
  readonly #tripWhen: IBreaker | undefined;
  #failuresInRow = 0;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.#window = new RollingWindow(3, settings.windowMs, 10);
    const { tripWhen } = settings;
    this.#tripWhen = typeof tripWhen === 'function' ? tripWhen() : tripWhen;
  }

  /** Counts a call; returns why to open, where that is so. */
  add(succeeded: boolean, isSlow: boolean, nowMs: number): string | undefined {
    this.#window.add(succeeded ? success : failure, nowMs);
    if (succeeded && isSlow) this.#window.add(slow, nowMs);
    this.#failuresInRow = succeeded ? 0 : this.#failuresInRow + 1;
    return this.#tripWhen === undefined
      ? this.#byShare(succeeded, isSlow, nowMs)
      : this.#byOther(this.#tripWhen, succeeded);
  }

  counts(nowMs: number): CallCounts {
    return {
      successes: this.#window.total(success, nowMs),
      failures: this.#window.total(failure, nowMs),
      slow: this.#window.total(slow, nowMs),
    };
  }

  clear(): void {
    this.#window.clear();
    this.#failuresInRow = 0;
  }

  /** The breaker is closed, by a recovery or by hand; cockatiel's breakers forget at a success of a recovery. */
  restart(): void {
    this.clear();
    this.#tripWhen?.success(CircuitState.HalfOpen);
  }

  #byOther(tripWhen: IBreaker, succeeded: boolean): string | undefined {
    if (succeeded) tripWhen.success(CircuitState.Closed);
    return !succeeded && tripWhen.failure(CircuitState.Closed) ? 'failures' : undefined;
  }

  #byShare(succeeded: boolean, isSlow: boolean, nowMs: number): string | undefined {
    if (succeeded && !isSlow) return undefined;
    const { minCalls, failureRatio, slowRatio } = this.#settings;
    const failures = this.#window.total(failure, nowMs);
    const calls = failures + this.#window.total(success, nowMs);
    if (calls < minCalls) return undefined;
    if (failures >= failureRatio * calls || Math.min(failures, this.#failuresInRow) >= longRow) return 'failures';
    return isSlow && this.#window.total(slow, nowMs) >= slowRatio * calls ? 'slow calls' : undefined;
  }
}
