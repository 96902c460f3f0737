import { randomUUID } from 'node:crypto';
import type { Deadline } from '@sage-adk/core/deadline';

/** What a protected call knows of its try. */
export interface CallContext {
  readonly dependency: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Aborts at the timeout of the try, at the deadline of the call, and with the caller. Made at the first read; unread it costs nothing. */
  readonly signal: AbortSignal;
  /** The same for all tries of a call, so that the other side can tell a repetition. */
  readonly idempotencyKey: string;
  /** Until the try must be over; Infinity where nothing limits it. */
  remainingMs(): number;
}

/** What all tries of a call share. */
export class Call {
  readonly dependency: string;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number;
  /** When it was made, on the clock's monotonic time. */
  readonly madeMs: number;
  #key: string | undefined;

  constructor(
    dependency: string,
    signal: AbortSignal | undefined,
    deadlineMs: number,
    madeMs: number,
    key: string | undefined,
  ) {
    this.dependency = dependency;
    this.signal = signal;
    this.deadlineMs = deadlineMs;
    this.madeMs = madeMs;
    this.#key = key;
  }

  get key(): string {
    return (this.#key ??= randomUUID());
  }
}

export class Try implements CallContext {
  readonly attempt: number;
  readonly #call: Call;
  readonly #deadline: Deadline;

  constructor(call: Call, attempt: number, deadline: Deadline) {
    this.#call = call;
    this.attempt = attempt;
    this.#deadline = deadline;
  }

  get dependency(): string {
    return this.#call.dependency;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  get idempotencyKey(): string {
    return this.#call.key;
  }

  remainingMs(): number {
    return this.#deadline.remainingMs();
  }
}
