/**
 * Thousands of calls that end in every way there is, a hundred thousand where `PROOF_RUNS` is 10: no slot is lost, none comes back twice.
 *
 * Processes share a store and are killed now and then. Time is a fake clock's.
 */
import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { createFakeClock, createSeededRandom } from '@sage-adk/core/testing';
import { createRateLimiter, type RateLimiter, type Reservation, type Rule } from '../../src/index.ts';
import { createLimiterQueue, type LimiterQueue } from '../../src/queue/limiter-queue.ts';
import { createMemoryStore } from '../../src/stores/memory.ts';
import { createSharedStore, type SharedStore } from '../support/shared-store.ts';

const runs = 10_000 * Number(process.env['PROOF_RUNS'] ?? 0.4);
const ttlMs = 3_000;
const maxHoldMs = 20_000;
const users = 3;
const rules: readonly Rule[] = [
  { name: 'all', scope: 'global', unit: 'concurrency', limit: 12 },
  { name: 'own', scope: 'user', unit: 'concurrency', limit: 5 },
];

interface Process {
  readonly shared: SharedStore;
  readonly limiter: RateLimiter;
  readonly queue: LimiterQueue;
  /** Its calls that hold a slot now. */
  readonly holding: Set<object>;
  isDead: boolean;
}

test.each([1, 2])(
  'RL3 RL4: however calls end, slots are back within their time, none is lost and none comes back twice, seed %d',
  async (seed) => {
    const random = createSeededRandom(seed);
    const clock = createFakeClock();
    const server = createMemoryStore({ clock });
    const signals: AbortSignal[] = [];
    const ends: Record<string, number> = {};
    const pick = <T>(choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0];
    const start = (): Process => {
      const shared = createSharedStore(clock, server);
      const limiter = createRateLimiter({ rules, store: shared.store, clock });
      const queue = createLimiterQueue({ limiter, clock, maxSize: 200, pollMs: 50 });
      return { shared, limiter, queue, holding: new Set(), isDead: false };
    };
    const pause = (): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, random() * 400));
    let processes = [start(), start(), start()];
    const all = [...processes];
    const holding = (): number => processes.reduce((sum, each) => sum + each.holding.size, 0);

    const kill = (): void => {
      const dead = pick(processes as [Process]);
      dead.isDead = true;
      // Nothing that it sends arrives any more, and what it held it holds for nobody.
      dead.shared.trouble = { name: 'stalled', carriesOut: false };
      processes = [...processes.filter((other) => other !== dead), start()];
      all.push(...processes.slice(-1));
    };

    /** Resolves to how the call ended. */
    const end = async (process: Process, reservation: Reservation, signal: AbortSignal): Promise<string> => {
      const way = pick(['settle', 'cancel', 'fail', 'dispose', 'twice', 'both', 'abort', 'extend'] as const);
      await pause();
      if (way === 'extend') await reservation.extend(ttlMs);
      process.holding.delete(reservation);
      const words =
        way === 'twice'
          ? [reservation.settle(), reservation.settle()]
          : way === 'both'
            ? [reservation.cancel(), reservation.fail()]
            : [];
      if (way === 'dispose') await reservation[Symbol.asyncDispose]();
      else if (way === 'cancel') words.push(reservation.cancel());
      else if (way === 'fail') words.push(reservation.fail());
      else if (words.length === 0) words.push(reservation.settle());
      const settled = (await Promise.all(words)).filter((word) => word.settled);
      if (way !== 'dispose') expect(settled).toHaveLength(1);
      // What comes after the end does nothing.
      expect((await reservation.settle()).settled).toBe(false);
      return signal.aborted ? `${way}, aborted` : way;
    };

    const call = async (): Promise<string> => {
      const process = pick(processes as [Process]);
      const controller = new AbortController();
      const { signal } = controller;
      signals.push(signal);
      if (random() < 0.3) clock.setTimer(() => controller.abort(new Error('gave up')), random() * 500);
      const subject = { user: `user${Math.floor(random() * users)}` };
      const options = { ttlMs, maxHoldMs, maxWaitMs: pick([0, 50, 500]), signal };
      const isQueued = random() < 0.7;
      try {
        const outcome = isQueued
          ? await process.queue.acquire(subject, undefined, options)
          : await process.limiter.reserve(subject, undefined, options);
        if (!outcome.allowed) return 'denied';
        if (process.isDead) return 'killed';
        process.holding.add(outcome);
        expect(holding()).toBeLessThanOrEqual(12);
        return await end(process, outcome, signal);
      } catch (error) {
        if (signal.aborted && error === signal.reason) return 'gave up';
        throw error;
      }
    };

    const calls = new Set<Promise<void>>();
    for (let run = 0; run < runs / 2; run++) {
      if (random() < 0.001) kill();
      const made = call().then((way) => {
        ends[way] = (ends[way] ?? 0) + 1;
        calls.delete(made);
      });
      calls.add(made);
      await clock.advanceAsync(random() * 25);
    }
    await clock.advanceAsync(ttlMs);
    // Calls of dead processes never end; all others have, and the rest of the slots is back within the time of a lease.
    expect(processes.map(({ queue, holding: held }) => [queue.size, held.size])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const [alive] = processes;
    for (let user = 0; user < users; user++) {
      const decision = await alive?.limiter.peek({ user: `user${user}` });
      expect(decision?.rules.map(({ remaining }) => remaining)).toEqual([12, 5]);
    }
    expect(server.counts().reservations).toBe(0);
    expect(signals.filter((signal) => getEventListeners(signal, 'abort').length > 0).length).toBeLessThanOrEqual(
      calls.size,
    );
    // Every way was gone.
    expect(Object.keys(ends).length).toBeGreaterThanOrEqual(10);
    // The dead give up as well: no timer outlives the longest hold.
    for (const each of all) await each.queue.close();
    await clock.advanceAsync(maxHoldMs + ttlMs);
    expect(clock.pending).toBe(0);
  },
  120_000 * Number(process.env['PROOF_RUNS'] ?? 1),
);
