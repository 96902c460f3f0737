import { strict as assert } from 'node:assert';
import { verdictOf } from '../errors/verdict.ts';

/**
 * One promise of a contract, and a check of it. A suite is a list of these; any test runner turns it into tests.
 *
 * @example
 * ```ts
 * for (const { name, run } of keyValueStoreCases) test(name, () => run(createSubject));
 * ```
 */
export interface ConformanceCase<S> {
  readonly name: string;
  /** Rejects, mostly with an `AssertionError`, where the subject breaks the promise. */
  readonly run: (subject: S) => Promise<void>;
}

/** Fails where `promise` has not settled in real time, so that a subject that hangs gets a clear answer. */
export async function settlesWithin<T>(promise: Promise<T>, patienceMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what} did not settle within ${patienceMs} ms` })),
      patienceMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fails unless the call rejects as cancelled by `signal`: with its reason, or with an AbortError. */
export async function assertCancelled(
  call: () => Promise<unknown>,
  signal: AbortSignal,
  patienceMs = 1_000,
): Promise<void> {
  let error: unknown;
  try {
    await settlesWithin(call(), patienceMs, 'the aborted call');
  } catch (thrown) {
    error = thrown;
  }
  assert.notEqual(error, undefined, 'an aborted call rejects');
  if (error instanceof assert.AssertionError) throw error;
  assert.equal(verdictOf(error, signal).outcome, 'cancelled', `rejected with ${String(error)}`);
}
