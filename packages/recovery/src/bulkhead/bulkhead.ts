import { begin, requireWhole } from '@sage-adk/core';
import { bulkhead, BulkheadRejectedError, type IDefaultPolicyContext } from 'cockatiel';
import { errors } from '../errors.ts';
import { offerCounters } from '../policy/counters.ts';
import { Turns } from './turns.ts';

export interface BulkheadOptions {
  /** Calls that run at once. */
  readonly maxConcurrent: number;
  /** Calls that may wait for their turn; one more is refused. @default 0 */
  readonly maxQueue?: number;
}

/** Bounds how much of a process one dependency can hold: cockatiel's bulkhead, with counters and an abort that is heard while waiting. */
export interface Bulkhead {
  /**
   * Throws `SAGE_RECOVERY_BULKHEAD_FULL` (denied, 503) where all places and the queue are taken. A wait is a `queue.wait` operation.
   *
   * @param waiting makes what ends a wait in place of the signal, such as a deadline of core; not asked where the call starts at once
   */
  execute<T>(
    call: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal?: AbortSignal,
    waiting?: () => WaitEnd,
  ): Promise<T>;
  snapshot(): BulkheadSnapshot;
  /** Ends its counters; calls go on. */
  close(): void;
}

/** Ends a wait by its signal, with the reason of that; disposed when the wait is over. */
export interface WaitEnd extends Partial<Disposable> {
  readonly signal: AbortSignal;
}

export interface BulkheadSnapshot {
  readonly active: number;
  /** An aborted call counts until its turn would have come. */
  readonly waiting: number;
  /** Since the start. */
  readonly rejected: number;
}

/**
 * Counters under `recovery.bulkhead`, per dependency: active, waiting, rejected.
 *
 * @param dependency the name in errors and observers; one of few
 */
export function createBulkhead(dependency: string, { maxConcurrent, maxQueue = 0 }: BulkheadOptions): Bulkhead {
  requireWhole('maxConcurrent', maxConcurrent, 1);
  requireWhole('maxQueue', maxQueue, 0);
  const policy = bulkhead(maxConcurrent, maxQueue);
  const turns = new Turns(policy, maxQueue);
  let rejected = 0;
  const load = (): { active: number; waiting: number } => ({
    active: maxConcurrent - policy.executionSlots,
    waiting: maxQueue - policy.queueSlots,
  });
  const snapshot = (): BulkheadSnapshot => ({ ...load(), rejected });
  const loads = (): readonly (BulkheadSnapshot & { dependency: string })[] => [{ dependency, ...snapshot() }];
  const counters = offerCounters('recovery.bulkhead', loads, ({ dependency: _, ...now }) => now);
  const told = (error: unknown): unknown => {
    if (!(error instanceof BulkheadRejectedError)) return error;
    rejected++;
    return errors.BULKHEAD_FULL({ dependency, ...load() }, { cause: error });
  };
  return {
    execute(call, signal = neverAborts, waiting) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (turns.isFree) return policy.execute(call, signal);
      const isFull = policy.executionSlots + policy.queueSlots === 0;
      const answer = isFull
        ? policy.execute(call, signal)
        : queued({ dependency, depth: load().waiting + 1, until: waiting?.() ?? { signal } }, (arrive, until) =>
            turns.enter(() => {
              arrive();
              return call({ signal });
            }, until),
          );
      return answer.catch((error: unknown) => Promise.reject(told(error)));
    },
    snapshot,
    close: () => counters[Symbol.dispose](),
  };
}

interface Place {
  readonly dependency: string;
  readonly depth: number;
  readonly until: WaitEnd;
}

/** A call that waits for its turn: the wait is an operation, and its end is heard at once. */
function queued<T>(
  { dependency, depth, until }: Place,
  call: (arrive: () => void, until: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = until;
    const wait = begin('queue.wait', { queue: dependency });
    wait.set({ depth });
    const leave = (): void => {
      signal.removeEventListener('abort', abort);
      until[Symbol.dispose]?.();
    };
    const abort = (): void => {
      leave();
      wait.fail(signal.reason);
      reject(signal.reason);
    };
    const arrive = (): void => {
      leave();
      wait.end();
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    call(arrive, signal).then(resolve, (error: unknown) => {
      arrive();
      reject(error);
    });
  });
}

const neverAborts = new AbortController().signal;
