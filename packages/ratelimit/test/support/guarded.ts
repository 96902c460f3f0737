import { afterEach } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { createRateLimiter, type Rule } from '../../src/index.ts';
import { type GuardOptions, guardStore } from '../../src/stores/guarded-store.ts';
import { createSharedStore } from './shared-store.ts';

const closing: AsyncDisposable[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one[Symbol.asyncDispose]()));
});

export function closeAfterTest(one: AsyncDisposable): void {
  closing.push(one);
}

/** A limiter on a guarded store and a clock of its own, closed after the test. */
export function createGuarded(rules: readonly Rule[], options: GuardOptions = {}) {
  const clock = createFakeClock();
  const shared = createSharedStore(clock);
  const store = guardStore(shared.store, { ...options, clock });
  const limiter = createRateLimiter({ rules, store, clock });
  closeAfterTest(limiter);
  return { limiter, shared, clock };
}

/** How long it took on the clock, which goes on until it is there. */
export async function timed<T>(clock: ReturnType<typeof createFakeClock>, pending: Promise<T>): Promise<[number, T]> {
  const startMs = clock.monotonicMs();
  const state = { done: false };
  const end = (): void => {
    state.done = true;
  };
  pending.then(end, end);
  await clock.advanceAsync(0);
  while (!state.done && clock.monotonicMs() < startMs + 1_000) await clock.advanceAsync(10);
  const tookMs = clock.monotonicMs() - startMs;
  return [tookMs, await pending];
}
