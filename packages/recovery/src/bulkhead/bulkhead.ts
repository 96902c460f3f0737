import { begin, requireWhole } from '@sage-adk/core';
import { bulkhead, BulkheadRejectedError, type IDefaultPolicyContext } from 'cockatiel';
import { errors } from '../errors.ts';
import { offerCounters } from '../policy/counters.ts';

export interface BulkheadOptions {
  /** Calls that run at once. */
  readonly maxConcurrent: number;
  /** Calls that may wait for their turn; one more is refused. @default 0 */
  readonly maxQueue?: number;
}

/** Bounds how much of a process one dependency can hold: cockatiel's bulkhead, with counters and an abort that is heard while waiting. */
export interface Bulkhead {
  /** Throws `SAGE_RECOVERY_BULKHEAD_FULL` (denied, 503) where all places and the queue are taken. A wait is a `queue.wait` operation. */
  execute<T>(call: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
  snapshot(): BulkheadSnapshot;
  /** Ends its counters; calls go on. */
  close(): void;
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
    execute(call, signal = neverAborts) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (policy.executionSlots > 0) return policy.execute(call, signal);
      if (policy.queueSlots === 0)
        return policy.execute(call, signal).catch((error: unknown) => Promise.reject(told(error)));
      return queued({ dependency, depth: load().waiting + 1, signal }, (arrive) =>
        policy.execute((context) => {
          arrive();
          return call(context);
        }, signal),
      ).catch((error: unknown) => Promise.reject(told(error)));
    },
    snapshot,
    close: () => counters[Symbol.dispose](),
  };
}

interface Place {
  readonly dependency: string;
  readonly depth: number;
  readonly signal: AbortSignal;
}

/** A call that waits for its turn: the wait is an operation, and an abort is heard at once. */
function queued<T>({ dependency, depth, signal }: Place, call: (arrive: () => void) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = begin('queue.wait', { queue: dependency });
    wait.set({ depth });
    const abort = (): void => {
      wait.fail(signal.reason);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const arrive = (): void => {
      signal.removeEventListener('abort', abort);
      wait.end();
    };
    call(arrive).then(resolve, (error: unknown) => {
      arrive();
      reject(error);
    });
  });
}

const neverAborts = new AbortController().signal;
