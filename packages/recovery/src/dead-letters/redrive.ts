/** Another try of what is in a dead-letter store, at a rate that the target bears, and only while it helps. */
import { createHash } from 'node:crypto';
import { type Clock, operate, requireNumber, requireOption, requireWhole, systemClock } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { DeadLetterFilter } from './letter.ts';
import type { ClaimedLetter, DeadLetterStore } from './store.ts';

/** Handles a letter anew. It is acknowledged when this resolves, and given back when it rejects. */
export type RedriveHandler = (letter: ClaimedLetter, call: RedriveCall) => Promise<unknown>;

export interface RedriveCall {
  /** The same for each try of one message: a handler may be called again after it succeeded, when the process died before the acknowledgement. */
  readonly idempotencyKey: string;
  /** Aborts with the redrive, and when the claim was lost to somebody else. */
  readonly signal: AbortSignal;
}

export interface RedriveOptions {
  /** Only letters that fit. Parked ones are tried where it says `state: 'parked'`, and are released first. @default all that are due */
  readonly filter?: DeadLetterFilter;
  /** Tries that start per second. @default 10 */
  readonly ratePerSecond?: number;
  /** Tries at once. @default 1 */
  readonly concurrency?: number;
  /** Most tries of this redrive. @default no bound */
  readonly limit?: number;
  /** How long a claim holds; it is renewed while the handler works. @default 30000 */
  readonly leaseMs?: number;
  /** Wait of a letter after its first failed redrive; doubles with each, up to an hour. @default 60000 */
  readonly retryDelayMs?: number;
  /** Stops when this part of its tries failed, 1 for never. @default 0.5 */
  readonly stopAtFailureRatio?: number;
  /** Tries before the ratio counts. @default 10 */
  readonly minTries?: number;
  /** Asked before each try whether the target takes calls, such as whether its breaker is closed; false stops. */
  readonly ready?: () => boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface RedriveResult {
  /** `done`: nothing more is due. `failures`: too many failed. `not-ready`, `limit`, `aborted`: as they say. */
  readonly stopped: 'done' | 'failures' | 'not-ready' | 'limit' | 'aborted';
  readonly succeeded: number;
  readonly failed: number;
  /** Handled, but the claim was somebody else's or the message had failed again meanwhile: the letter is still there. */
  readonly lost: number;
}

/**
 * Claims letters, hands each to `handler`, and acknowledges it only when that resolved. A crash or abort at any time leaves the letter in the store.
 *
 * Resolves when nothing is due or a bound says stop; tries that run are waited for. Rejects as the store does, after they ended.
 *
 * @example
 * ```ts
 * const result = await redrive(store, (letter, { idempotencyKey }) => send(letter.payload, idempotencyKey), { ratePerSecond: 5 });
 * ```
 */
export async function redrive(
  store: DeadLetterStore,
  handler: RedriveHandler,
  options: RedriveOptions = {},
): Promise<RedriveResult> {
  const run = new Redrive(store, handler, options);
  return run.result();
}

/** Refuses options that make no sense. */
export function requireRedriveOptions({
  ratePerSecond = 10,
  concurrency = 1,
  leaseMs = 30_000,
  stopAtFailureRatio = 0.5,
  minTries = 10,
  retryDelayMs = 60_000,
  limit = 1,
}: RedriveOptions): void {
  requireOption('ratePerSecond', ratePerSecond, 'a number above 0', (rate) => rate > 0);
  requireNumber('stopAtFailureRatio', stopAtFailureRatio, 0, 1);
  requireNumber('retryDelayMs', retryDelayMs, 0);
  requireWhole('minTries', minTries, 1);
  requireWhole('limit', limit, 1);
  requireWhole('concurrency', concurrency, 1, 1_000);
  requireNumber('leaseMs', leaseMs, 30);
}

const longestDelayMs = 3_600_000;

class Redrive {
  readonly #store: DeadLetterStore;
  readonly #handler: RedriveHandler;
  readonly #options: RedriveOptions;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #concurrency: number;
  readonly #spacingMs: number;
  readonly #leaseMs: number;
  readonly #candidates: AsyncIterator<{ readonly id: string; readonly state: string }> | undefined;
  #stopped: RedriveResult['stopped'] | undefined;
  #nextStartMs: number;
  #tries = 0;
  #succeeded = 0;
  #failed = 0;
  #lost = 0;

  constructor(store: DeadLetterStore, handler: RedriveHandler, options: RedriveOptions) {
    requireRedriveOptions(options);
    const { ratePerSecond = 10, concurrency = 1, leaseMs = 30_000, filter, clock = systemClock, signal } = options;
    this.#concurrency = concurrency;
    this.#leaseMs = leaseMs;
    this.#spacingMs = 1_000 / ratePerSecond;
    this.#store = store;
    this.#handler = handler;
    this.#options = options;
    this.#clock = clock;
    this.#signal = signal ?? new AbortController().signal;
    this.#nextStartMs = clock.monotonicMs();
    this.#candidates = filter === undefined ? undefined : store.query(filter)[Symbol.asyncIterator]();
  }

  async result(): Promise<RedriveResult> {
    const workers = await Promise.allSettled(Array.from({ length: this.#concurrency }, () => this.#work()));
    await this.#candidates?.return?.();
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
    const counts = { succeeded: this.#succeeded, failed: this.#failed, lost: this.#lost };
    return { stopped: this.#stopped ?? 'done', ...counts };
  }

  async #work(): Promise<void> {
    try {
      for (;;) {
        await this.#turn();
        if (this.#mayStop()) return;
        const letter = await this.#claim();
        if (letter === undefined) return this.#stop('done');
        await this.#try(letter);
      }
    } catch (error) {
      if (!this.#signal.aborted) {
        // The other workers end with their try: the store is not to be relied on.
        this.#stop('failures');
        throw error;
      }
      this.#stop('aborted');
    }
  }

  /** Waits for the next start that the rate allows. */
  async #turn(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(nowMs, this.#nextStartMs);
    this.#nextStartMs = startMs + this.#spacingMs;
    if (startMs > nowMs) await sleep(startMs - nowMs, { clock: this.#clock, signal: this.#signal });
  }

  #mayStop(): boolean {
    const { limit = Number.POSITIVE_INFINITY, ready, stopAtFailureRatio = 0.5, minTries = 10 } = this.#options;
    const ended = this.#succeeded + this.#failed;
    if (this.#signal.aborted) this.#stop('aborted');
    else if (
      ended >= minTries &&
      this.#failed > 0 &&
      this.#failed >= ended * stopAtFailureRatio &&
      stopAtFailureRatio < 1
    ) {
      this.#stop('failures');
    } else if (this.#tries >= limit) this.#stop('limit');
    else if (ready?.() === false) this.#stop('not-ready');
    if (this.#stopped === undefined) this.#tries++;
    return this.#stopped !== undefined;
  }

  #stop(why: RedriveResult['stopped']): void {
    this.#stopped ??= why;
  }

  async #claim(): Promise<ClaimedLetter | undefined> {
    const candidates = this.#candidates;
    if (candidates === undefined) return (await this.#store.claim({ leaseMs: this.#leaseMs }))[0];
    for (;;) {
      const { value, done } = await candidates.next();
      if (done === true) return undefined;
      if (
        value.state === 'parked' &&
        !(this.#options.filter?.state === 'parked' && (await this.#store.release(value.id)))
      ) {
        continue;
      }
      const [claimed] = await this.#store.claim({ leaseMs: this.#leaseMs, ids: [value.id] });
      if (claimed !== undefined) return claimed;
    }
  }

  async #try(letter: ClaimedLetter): Promise<void> {
    const { name, queue } = this.#store;
    let failure: { readonly error: unknown } | undefined;
    const lease = new Lease(this.#store, letter, this.#leaseMs, this.#clock, this.#signal);
    const call = { idempotencyKey: idempotencyKeyOf(letter), signal: lease.signal };
    try {
      await operate('dlq.replay', { store: name, queue }, async (operation) => {
        const origin = letter.headers['traceparent'];
        operation.set({ attempt: letter.redrives, ...(origin !== undefined && { origin }) });
        await this.#handler(letter, call);
      });
    } catch (error) {
      failure = { error };
    } finally {
      lease.end();
    }
    if (failure === undefined) {
      // A lost acknowledgement is no failure of the message: it is handled again, under the same key.
      if (await this.#store.ack(letter)) this.#succeeded++;
      else this.#lost++;
      return;
    }
    // The handler was told to stop; that says nothing about the message.
    if (this.#signal.aborted) return void (await this.#store.nack(letter));
    const { retryDelayMs = 60_000 } = this.#options;
    const delayMs = Math.min(longestDelayMs, retryDelayMs * 2 ** (letter.redrives - 1));
    if (await this.#store.nack(letter, { delayMs, error: failure.error ?? new Error('rejected with nothing') }))
      this.#failed++;
    else this.#lost++;
  }
}

/** Renews a claim while somebody works under it, and tells them when it is lost. */
class Lease {
  readonly signal: AbortSignal;
  readonly #lost = new AbortController();
  #over = false;
  #cancel: () => void = () => {};

  constructor(store: DeadLetterStore, letter: ClaimedLetter, leaseMs: number, clock: Clock, outer: AbortSignal) {
    this.signal = AbortSignal.any([this.#lost.signal, outer]);
    const renew = async (): Promise<void> => {
      // A store that cannot be reached now may be at the next renewal; the lease outlasts two that fail.
      const held = await store.extend(letter, leaseMs).catch(() => true);
      if (this.#over) return;
      if (held) next();
      else this.#lost.abort(new DOMException('The claim is no longer held.', 'AbortError'));
    };
    const next = (): void => {
      const timer = clock.setTimer(() => void renew(), leaseMs / 3);
      this.#cancel = () => timer.cancel();
    };
    next();
  }

  end(): void {
    this.#over = true;
    this.#cancel();
  }
}

function idempotencyKeyOf({ source, dedupeKey }: ClaimedLetter): string {
  return createHash('sha256')
    .update(JSON.stringify([source, dedupeKey]))
    .digest('base64url')
    .slice(0, 32);
}
