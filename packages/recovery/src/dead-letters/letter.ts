/** `dead` waits for a redrive, `claimed` is in somebody's hands, `parked` failed too often and waits for a person. */
export type DeadLetterState = 'dead' | 'claimed' | 'parked';

/** A message that failed, and what is known of its failures. */
export interface DeadLetter {
  /** UUID version 7. */
  readonly id: string;
  /** Where it failed: a queue, an endpoint, a step. */
  readonly source: string;
  /** What makes the message the same one when it fails again, unique in its source. */
  readonly dedupeKey: string;
  /** Any JSON value. */
  readonly payload: unknown;
  /** What a handler needs beside the payload, such as `traceparent`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The last failure. */
  readonly error: DeadLetterError;
  /** Equal for failures of one kind. */
  readonly fingerprint: string;
  readonly state: DeadLetterState;
  /** Failures that were put or told with `nack`. */
  readonly failures: number;
  /** Times that it was claimed. */
  readonly redrives: number;
  /** Wall-clock milliseconds by the store's clock, as are the others. */
  readonly firstFailedAtMs: number;
  readonly failedAtMs: number;
  /** When it may be claimed, or claimed again. */
  readonly visibleAtMs: number;
  /** When it leaves the store: its retention after the last failure. */
  readonly expiresAtMs: number;
  /** Changes with each change of the letter but `extend`. */
  readonly version: number;
}

export interface DeadLetterError {
  /** `transient`, `permanent`, `critical`, `cancelled` or `unknown`. */
  readonly category: string;
  readonly reason: string;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly status?: number;
}

/** A message to be put aside. */
export interface NewDeadLetter {
  readonly source: string;
  /** @default the new letter's id: then nothing is ever a duplicate */
  readonly dedupeKey?: string;
  readonly payload: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What was thrown. */
  readonly error: unknown;
  /** Milliseconds until it may be claimed. @default 0 */
  readonly delayMs?: number;
}

/** What is wanted of a query; every member that is given must fit. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[];
  readonly source?: string;
  readonly state?: DeadLetterState;
  readonly fingerprint?: string;
  readonly category?: string;
  readonly reason?: string;
  /** Stands in the payload or the error as written here, capitals included. */
  readonly text?: string;
  /** The last failure was then or later. */
  readonly failedFromMs?: number;
  /** The last failure was before. */
  readonly failedBeforeMs?: number;
}

/** Whether `letter` fits. */
export function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { ids, failedFromMs, failedBeforeMs, text } = filter;
  if (ids !== undefined && !ids.includes(letter.id)) return false;
  if (filter.source !== undefined && letter.source !== filter.source) return false;
  if (filter.state !== undefined && letter.state !== filter.state) return false;
  if (filter.fingerprint !== undefined && letter.fingerprint !== filter.fingerprint) return false;
  if (filter.category !== undefined && letter.error.category !== filter.category) return false;
  if (filter.reason !== undefined && letter.error.reason !== filter.reason) return false;
  if (failedFromMs !== undefined && letter.failedAtMs < failedFromMs) return false;
  if (failedBeforeMs !== undefined && letter.failedAtMs >= failedBeforeMs) return false;
  return text === undefined || [letter.payload, letter.error].some((part) => contains(part, text));
}

function contains(part: unknown, text: string): boolean {
  return JSON.stringify(part).includes(JSON.stringify(text).slice(1, -1));
}
